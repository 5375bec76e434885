#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/ir/graph.h"
#include "quantize/observer.h"

/// Q/DQ pairs say where values are integers (DESIGN section 6): simulation, kernels and export read
/// them from the graph.
///
/// Convolutions, Gemm and MatMul with constant weights are computed in integers; so is what lies
/// between them where it has an integer form: Add, Concat, pools, functions of one value, and what
/// only moves values (which keeps the scale). Everything else is f32 between DQ and Q. A ReLU or
/// Clip which alone reads a layer or an Add belongs to it: the rounding comes after it. The results
/// of the last layers are not quantized.
namespace xgen::quantize {

/// A layer with weights: a row of the report.
struct LayerType {
  std::string node;
  bool int8 = false;
  std::string reason;  ///< why it stays f32.
};

/// Which layers of a float graph will be computed in integers.
/// @param exclude  globs of node names, also of what was folded into one. @throws UserError for a
/// glob that matches no layer.
std::vector<LayerType> layer_types(const ir::Graph& graph,
                                   const std::vector<std::string>& exclude = {});

/// The values whose range insert_qdq needs: all that get a scale of their own.
std::vector<std::string> values_to_observe(const ir::Graph& graph,
                                           const std::vector<std::string>& exclude = {});

/// Inserts Q/DQ pairs: u8 per tensor after values; s8 per output channel, with the scales that
/// bake_weights would give them, after float weights. Biases stay float until bake_weights.
///
/// @param graph   with BatchNorm folded.
/// @param ranges  by name of the value, of all values_to_observe().
/// @param read_weights  false: all scales of weights are 1, for a graph whose shapes alone matter.
/// @throws UserError for a layer whose sums can leave int32, with its channel.
ir::Graph insert_qdq(const ir::Graph& graph, const std::map<std::string, ActivationRange>& ranges,
                     const std::vector<std::string>& exclude = {}, bool read_weights = true);

/// Replaces float weights behind Q by s8 constants and float biases of these layers by i32
/// constants with a DQ of scale s_x * s_w: the form for export and code generation. Scales are
/// computed from the weights as they are. Sparsity annotations go along.
/// @param read_weights  false: they and the biases are zeros.
/// @throws UserError as insert_qdq.
ir::Graph bake_weights(const ir::Graph& qdq, bool read_weights = true);

}  // namespace xgen::quantize
