/** The file itself, imported as text. */
declare const text: string;
export default text;
