import type { Method } from "../select/method.ts";

/** What is cited, in BibTeX, by the word under which it is known here. */
export const CITATIONS = {
  cpd: `@article{cpd2026,
  title  = {Dataset Distillation for Machine Learning Force Field in Phase Transition Regime},
  author = {Chen, Ruiyang and Zhang, Qingyuan and Chen, Ji},
  year   = {2026},
  eprint = {2604.03027},
  archivePrefix = {arXiv}
}`,
  mace: `@inproceedings{mace2022,
  title     = {{MACE}: Higher Order Equivariant Message Passing Neural Networks for Fast and Accurate Force Fields},
  author    = {Batatia, Ilyes and Kov{\\'a}cs, D{\\'a}vid P. and Simm, Gregor N. C. and Ortner, Christoph and Cs{\\'a}nyi, G{\\'a}bor},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {35},
  year      = {2022}
}`,
  schnet: `@article{schnet2018,
  title   = {{SchNet} -- A deep learning architecture for molecules and materials},
  author  = {Sch{\\"u}tt, Kristof T. and Sauceda, Huziel E. and Kindermans, Pieter-Jan and Tkatchenko, Alexandre and M{\\"u}ller, Klaus-Robert},
  journal = {J. Chem. Phys.},
  volume  = {148},
  pages   = {241722},
  year    = {2018}
}`,
  ace: `@article{ace2019,
  title   = {Atomic cluster expansion for accurate and transferable interatomic potentials},
  author  = {Drautz, Ralf},
  journal = {Phys. Rev. B},
  volume  = {99},
  pages   = {014104},
  year    = {2019}
}

% Random mixtures of radial functions and elements: Darby et al., Phys. Rev. Lett. 131, 028001 (2023).`,
  direct: `@article{direct2024,
  title   = {Robust training of machine learning interatomic potentials with dimensionality reduction and stratified sampling},
  author  = {Qi, Ji and Ko, Tsz Wai and Wood, Brandon C. and Pham, Tuan Anh and Ong, Shyue Ping},
  journal = {npj Comput. Mater.},
  volume  = {10},
  pages   = {43},
  year    = {2024}
}`,
  rnd: `@misc{rnd2018,
  title  = {Exploration by Random Network Distillation},
  author = {Burda, Yuri and Edwards, Harrison and Storkey, Amos and Klimov, Oleg},
  year   = {2018},
  note   = {arXiv:1810.12894}
}

% For configurations of atoms: Phys. Rev. Lett. 132, 167301 (2024), arXiv:2309.03840.`,
} as const;

/** What a method chooses, in one sentence. */
export const METHOD_SENTENCES: Readonly<Record<Method, string>> = {
  "cpd-spread":
    "Central-peripheral distillation, spread over its pools: medoids of k-means in the dense core, and " +
    "of the sparse rim the configurations farthest from all that were chosen.",
  "cpd":
    "Central-peripheral distillation (arXiv:2604.03027): weighted draws without replacement from " +
    "the densest and the sparsest configurations.",
  "direct":
    "DIRECT sampling: BIRCH subclusters on weighted principal components, Ward's clustering of " +
    "their centres, and the configuration nearest to each cluster's mean.",
  "rnd":
    "Random network distillation: again and again the configuration on which a predictor network " +
    "is farthest from a fixed random network.",
  "fps": "Farthest point sampling, from the configuration nearest to the mean.",
  "kmedoids": "The configuration nearest to each centre of k-means.",
  "random": "A seeded random draw.",
};

/** Keys of the citations that a run owes. */
export function citationsOf(
  method: Method,
  descriptor: "mace" | "schnet" | "ace" | null,
): (keyof typeof CITATIONS)[] {
  const own = method === "direct" || method === "rnd" ? [method] as const : [];
  return ["cpd", ...(descriptor ? [descriptor] : []), ...own];
}
