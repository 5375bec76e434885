#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "codegen/kernels/plane_conv.h"
#include "codegen/runtime/kernels.h"
#include "core/ir/graph.h"

/// What lowering makes of a graph and the bundle writer prints as C: a list of kernel calls over
/// one arena, with everything they need as data.
namespace xgen {

/// What a step computes; the structs are those of the generated C.
using StepArgs =
    std::variant<xgen_conv, xgen_filter_conv, xgen_pool, xgen_global_pool, xgen_binary, xgen_unary,
                 xgen_copy, xgen_resize, xgen_pack, xgen_move, xgen_broadcast, xgen_map, xgen_axis,
                 xgen_matmul, xgen_quantize, xgen_transfer>;

/// A part of the arena. Buffers that no step needs at once may share bytes.
struct Buffer {
  std::size_t at = 0, bytes = 0;
};

struct Step {
  std::string name;     ///< of the node, or of the conversion: "input to planes".
  std::string op;       ///< ONNX operator type, or "layout".
  std::string kernel;   ///< C function, e.g. "plane_conv_i8_g4".
  std::string comment;  ///< sizes and scheme, for people.
  StepArgs args;
  std::string scheme = "dense";
  std::int64_t macs = 0;           ///< multiply-adds that the kernel does, zeros skipped.
  std::int64_t dense_macs = 0;     ///< those of the layer without sparsity.
  std::set<int> buffers = {};      ///< of the program's, which it reads or writes.
  std::size_t constant_bytes = 0;  ///< of the weights and tables that were made for it.
  std::string part = {};  ///< "planes 0 to 7": of the result, where several steps compute a node.
};

/// An input or output of the model as the caller sees it.
struct TensorInfo {
  std::string name;
  ir::DType dtype = ir::DType::f32;
  ir::Extents shape;  ///< of one image: the leading extent is 1 where a batch is looped over.
};

struct Program {
  std::string name;
  std::vector<Step> steps;
  std::vector<xgen_list> lists;
  std::vector<xgen_channel_map> channel_maps;
  std::vector<std::byte> weights;  ///< weights.bin.
  std::size_t unfilled_bytes = 0;  ///< by which weights.bin is longer where only lists are made.
  std::vector<TensorInfo> inputs, outputs;
  int batch = 1;                    ///< images per run: the steps run once for each.
  bool signed_activations = false;  ///< int8 activations are stored as x ^ 0x80.
  std::size_t arena_bytes = 0;
  std::vector<Buffer> buffers;
  std::size_t table_count = 0;  ///< int32 entries that init fills.
  std::set<std::string> kernels() const;

  /// Those of weights.bin.
  std::size_t weight_bytes() const { return weights.size() + unfilled_bytes; }
  /// The memory that a caller provides.
  std::size_t memory_bytes() const { return arena_bytes + 4 * table_count + 512; }
};

}  // namespace xgen
