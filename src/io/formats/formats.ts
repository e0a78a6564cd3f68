import { Buffer } from "node:buffer";
import { ParseError } from "../../errors.ts";
import { readChunks } from "../files.ts";
import { isAimsOutput, readAimsOutput } from "./aims_output.ts";
import { isSqlite, readAseDatabase } from "./ase_database.ts";
import { isAseTrajectory, isPickle, readAseTrajectory } from "./ase_trajectory.ts";
import { isCastep, readCastep } from "./castep.ts";
import type { FrameRecord, Note } from "./frame_record.ts";
import { isCp2kOutput, readCp2kOutput } from "./cp2k_output.ts";
import { isCpOutput, readCpOutput } from "./cp_output.ts";
import { isCpTrajectory, readCpTrajectory } from "./cp_trajectory.ts";
import { isCp2kTrajectory, readCp2kTrajectory } from "./cp2k_trajectory.ts";
import { isDeepmd, readDeepmd } from "./deepmd.ts";
import { isLammpsData, readLammpsData } from "./lammps_data.ts";
import { isLammpsDump, readLammpsDump } from "./lammps_dump.ts";
import { Lines } from "./lines.ts";
import { isMlAb, readMlAb } from "./ml_ab.ts";
import { isOutcar, readOutcar } from "./outcar.ts";
import { isPwOutput, readPwOutput } from "./pw_output.ts";
import { isQeXml, readQeXml } from "./qe_xml.ts";
import { isVasprun, readVasprun } from "./vasprun.ts";
import { isHdf5, readVaspout } from "./vaspout.ts";
import { isXdatcar, readXdatcar } from "./xdatcar.ts";

/** A file to read, and what it does not say. */
export interface Source {
  /** As it is told to people. */
  readonly name: string;
  readonly path: string;
  /** Symbols of the types 1, 2, … of LAMMPS, or null. */
  readonly elements: readonly string[] | null;
}

/** A format other than extended XYZ. */
export interface Format {
  readonly name: string;
  /** Whether a file begins so, its first bytes as Latin-1. */
  recognises(head: string, path: string): boolean;
  read(source: Source, note: Note): AsyncGenerator<FrameRecord>;
}

/** A format of lines.
 * @param editable whether people write such files, whose last line may have no end */
function ofLines(
  name: string,
  recognises: Format["recognises"],
  read: (lines: Lines, file: string, note: Note, source: Source) => AsyncGenerator<FrameRecord>,
  editable = false,
): Format {
  return {
    ...{ name, recognises },
    read: (source, note) =>
      read(new Lines(readChunks(source.path), editable), source.name, note, source),
  };
}

/** Every format but extended XYZ, in the order in which they are tried. */
export const FORMATS: readonly Format[] = [
  {
    ...{ name: "VASP vasprun.xml", recognises: isVasprun },
    read: ({ path, name }, note) => readVasprun(readChunks(path), name, note),
  },
  {
    ...{ name: "VASP vaspout.h5", recognises: isHdf5 },
    read: ({ path, name }, note) => readVaspout(readChunks(path), name, note),
  },
  ofLines("VASP OUTCAR", isOutcar, readOutcar),
  ofLines("VASP XDATCAR", isXdatcar, readXdatcar),
  ofLines("VASP ML_AB", isMlAb, readMlAb),
  ofLines("Quantum ESPRESSO pw.x output", isPwOutput, readPwOutput),
  {
    ...{ name: "Quantum ESPRESSO XML", recognises: isQeXml },
    read: ({ path, name }, note) => readQeXml(readChunks(path), name, note),
  },
  ofLines("Quantum ESPRESSO cp.x output", isCpOutput, readCpOutput),
  {
    ...{ name: "Quantum ESPRESSO cp.x trajectory", recognises: isCpTrajectory },
    read: ({ path, name }, note) => readCpTrajectory(path, name, note),
  },
  ofLines("CP2K output", isCp2kOutput, readCp2kOutput),
  {
    ...{ name: "CP2K trajectory", recognises: isCp2kTrajectory },
    read: ({ path, name }, note) => readCp2kTrajectory(path, name, note),
  },
  // The last row of a record ends with its mark, and is whole where that is.
  ofLines("CASTEP trajectory", isCastep, readCastep, true),
  ofLines("FHI-aims output", isAimsOutput, readAimsOutput),
  ofLines(
    "LAMMPS dump",
    isLammpsDump,
    (lines, file, note, { elements }) => readLammpsDump(lines, file, note, elements),
  ),
  ofLines(
    "LAMMPS data",
    isLammpsData,
    (lines, file, note, { elements }) => readLammpsData(lines, file, note, elements),
    true,
  ),
  {
    ...{ name: "ASE trajectory", recognises: isAseTrajectory },
    read: ({ path, name }, note) => readAseTrajectory(readChunks(path), name, note),
  },
  {
    ...{ name: "ASE database", recognises: isSqlite },
    read: ({ path, name }, note) => readAseDatabase(path, name, note),
  },
  {
    ...{ name: "DeePMD arrays", recognises: (_head, path) => isDeepmd(path) },
    read: ({ path, name, elements }, note) => readDeepmd(path, name, note, elements),
  },
];

/** Bytes at the beginning of a file by which it is recognised. */
const HEAD = 1 << 16;
const BARE_COUNT = /^\s*\d+[ \t]*\r?\n/;
/** Formats that are told by the names of their files as well. */
const BY_NAME = FORMATS.filter(({ name }) => /^(CP2K trajectory|DeePMD)/.test(name));

/** The format of a file by its content; null for extended XYZ and whatever is not known.
 * @throws {ParseError} for Python's pickles, which only code could read */
export async function formatOf(path: string, name: string): Promise<Format | null> {
  for await (const chunk of readChunks(path)) {
    const head = Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(chunk.length, HEAD)).toString(
      "latin1",
    );
    if (isPickle(head)) {
      throw new ParseError(
        name,
        "it is a Python pickle, which is not read: write it as extended XYZ with ASE",
      );
    }
    // A count alone begins extended XYZ, whatever its comment says.
    const known = BARE_COUNT.test(head) ? BY_NAME : FORMATS;
    return known.find((format) => format.recognises(head, path)) ?? null;
  }
  return null;
}
