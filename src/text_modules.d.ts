/** Files that are imported as text. */
declare module "*.wgsl" {
  const text: string;
  export default text;
}
declare module "*.css" {
  const text: string;
  export default text;
}
declare module "3dmol/*" {
  const text: string;
  export default text;
}
