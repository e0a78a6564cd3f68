/** A published MACE checkpoint. */
export interface KnownModel {
  readonly name: string;
  readonly url: string;
  /** MIT, or the Academic Software License, which has to be accepted. */
  readonly license: "MIT" | "ASL";
  /** Size of the file where it is known, bytes. */
  readonly bytes: number | null;
  /** Of the file where it is known. */
  readonly sha256: string | null;
  /** Cutoff where it is known, Å. */
  readonly rMax: number | null;
  readonly trainedOn: string;
}

/** Elements of all of them: Z = 1 to 83 and 89 to 94. */
export const KNOWN_ELEMENTS = "89: H to Bi, Ac to Pu";

const MP = "https://github.com/ACEsuit/mace-mp/releases/download";
const FOUNDATIONS = "https://github.com/ACEsuit/mace-foundations/releases/download";

function known(
  name: string,
  url: string,
  trainedOn: string,
  more: Partial<KnownModel> = {},
): KnownModel {
  return { name, url, license: "MIT", bytes: null, sha256: null, rMax: null, trainedOn, ...more };
}

/**
 * The MACE-MP family under the names that mace-torch gives them. Addresses and licences: ACEsuit/mace and
 * ACEsuit/mace-foundations. Checksums are not published there.
 */
export const KNOWN_MODELS: readonly KnownModel[] = [
  known("small", `${MP}/mace_mp_0/2023-12-10-mace-128-L0_energy_epoch-249.model`, "MPtrj"),
  known("medium", `${MP}/mace_mp_0/2023-12-03-mace-128-L1_epoch-199.model`, "MPtrj", {
    rMax: 6,
    bytes: 44_422_970,
  }),
  known("large", `${MP}/mace_mp_0/MACE_MPtrj_2022.9.model`, "MPtrj"),
  known("small-0b", `${MP}/mace_mp_0b/mace_agnesi_small.model`, "MPtrj"),
  known("medium-0b", `${MP}/mace_mp_0b/mace_agnesi_medium.model`, "MPtrj", {
    rMax: 6,
    bytes: 79_447_096,
  }),
  known("small-0b2", `${MP}/mace_mp_0b2/mace-small-density-agnesi-stress.model`, "MPtrj"),
  known("medium-0b2", `${MP}/mace_mp_0b2/mace-medium-density-agnesi-stress.model`, "MPtrj", {
    rMax: 5,
    bytes: 79_462_798,
  }),
  known("large-0b2", `${MP}/mace_mp_0b2/mace-large-density-agnesi-stress.model`, "MPtrj"),
  known("medium-0b3", `${MP}/mace_mp_0b3/mace-mp-0b3-medium.model`, "MPtrj", {
    rMax: 6,
    bytes: 79_472_952,
  }),
  known("medium-mpa-0", `${MP}/mace_mpa_0/mace-mpa-0-medium.model`, "MPtrj + sAlex", {
    rMax: 6,
    bytes: 79_462_305,
  }),
  known("medium-omat-0", `${MP}/mace_omat_0/mace-omat-0-medium.model`, "OMat24", {
    license: "ASL",
  }),
  known(
    "mace-matpes-pbe-0",
    `${FOUNDATIONS}/mace_matpes_0/MACE-matpes-pbe-omat-ft.model`,
    "MatPES PBE",
    { license: "ASL" },
  ),
  known(
    "mace-matpes-r2scan-0",
    `${FOUNDATIONS}/mace_matpes_0/MACE-matpes-r2scan-omat-ft.model`,
    "MatPES r2SCAN",
    { license: "ASL" },
  ),
];

/** Name under which mace-torch keeps a download: letters, digits and underscores of the file's name. */
export function maceCacheName({ url }: KnownModel): string {
  return url.slice(url.lastIndexOf("/") + 1).replace(/[^A-Za-z0-9_]/g, "");
}
