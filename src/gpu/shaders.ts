import addBias from "../../shaders/add_bias.wgsl" with { type: "text" };
import atomicBasis from "../../shaders/atomic_basis.wgsl" with { type: "text" };
import atomicBasisAdjoint from "../../shaders/atomic_basis_adjoint.wgsl" with { type: "text" };
import channelMix from "../../shaders/channel_mix.wgsl" with { type: "text" };
import covariance from "../../shaders/covariance.wgsl" with { type: "text" };
import edgeDensityAdjoint from "../../shaders/edge_density_adjoint.wgsl" with { type: "text" };
import edgeForces from "../../shaders/edge_forces.wgsl" with { type: "text" };
import edgeGradients from "../../shaders/edge_gradients.wgsl" with { type: "text" };
import edgeOffsets from "../../shaders/edge_offsets.wgsl" with { type: "text" };
import filterConvolution from "../../shaders/filter_convolution.wgsl" with { type: "text" };
import neighborCount from "../../shaders/neighbor_count.wgsl" with { type: "text" };
import neighborList from "../../shaders/neighbor_list.wgsl" with { type: "text" };
import poolAtoms from "../../shaders/pool_atoms.wgsl" with { type: "text" };
import powerIteration from "../../shaders/power_iteration.wgsl" with { type: "text" };
import productBasis from "../../shaders/product_basis.wgsl" with { type: "text" };
import productBasisAdjoint from "../../shaders/product_basis_adjoint.wgsl" with { type: "text" };
import radialBasis from "../../shaders/radial_basis.wgsl" with { type: "text" };
import readout from "../../shaders/readout.wgsl" with { type: "text" };
import reverseEdges from "../../shaders/reverse_edges.wgsl" with { type: "text" };
import sphericalHarmonics from "../../shaders/spherical_harmonics.wgsl" with { type: "text" };
import atomicBasisTangent from "../../shaders/atomic_basis_tangent.wgsl" with { type: "text" };
import atomicBasisWeights from "../../shaders/atomic_basis_weights.wgsl" with { type: "text" };
import channelMixWeights from "../../shaders/channel_mix_weights.wgsl" with { type: "text" };
import densityWeights from "../../shaders/density_weights.wgsl" with { type: "text" };
import edgeDensityTangent from "../../shaders/edge_density_tangent.wgsl" with { type: "text" };
import edgeDensityWeights from "../../shaders/edge_density_weights.wgsl" with { type: "text" };
import edgeTangents from "../../shaders/edge_tangents.wgsl" with { type: "text" };
import productBasisAdjointTangent from "../../shaders/product_basis_adjoint_tangent.wgsl" with {
  type: "text",
};
import productBasisTangent from "../../shaders/product_basis_tangent.wgsl" with { type: "text" };
import productBasisWeights from "../../shaders/product_basis_weights.wgsl" with { type: "text" };
import readoutTangent from "../../shaders/readout_tangent.wgsl" with { type: "text" };
import rowEdges from "../../shaders/row_edges.wgsl" with { type: "text" };
import rowOffsets from "../../shaders/row_offsets.wgsl" with { type: "text" };
import type { Kernel } from "./kernel.ts";

/** Every kernel by the name of its file and entry point. */
export const SHADERS = {
  add_bias: addBias,
  atomic_basis: atomicBasis,
  atomic_basis_adjoint: atomicBasisAdjoint,
  channel_mix: channelMix,
  covariance,
  edge_density_adjoint: edgeDensityAdjoint,
  edge_forces: edgeForces,
  edge_gradients: edgeGradients,
  edge_offsets: edgeOffsets,
  filter_convolution: filterConvolution,
  neighbor_count: neighborCount,
  neighbor_list: neighborList,
  pool_atoms: poolAtoms,
  power_iteration: powerIteration,
  product_basis: productBasis,
  product_basis_adjoint: productBasisAdjoint,
  radial_basis: radialBasis,
  readout,
  reverse_edges: reverseEdges,
  spherical_harmonics: sphericalHarmonics,
  atomic_basis_tangent: atomicBasisTangent,
  atomic_basis_weights: atomicBasisWeights,
  channel_mix_weights: channelMixWeights,
  density_weights: densityWeights,
  edge_density_tangent: edgeDensityTangent,
  edge_density_weights: edgeDensityWeights,
  edge_tangents: edgeTangents,
  product_basis_adjoint_tangent: productBasisAdjointTangent,
  product_basis_tangent: productBasisTangent,
  product_basis_weights: productBasisWeights,
  readout_tangent: readoutTangent,
  row_edges: rowEdges,
  row_offsets: rowOffsets,
};

/** The compiled kernels. */
export type Kernels = Readonly<Record<keyof typeof SHADERS, Kernel>>;
