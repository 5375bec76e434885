#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codegen/lower/layout.h"
#include "codegen/program.h"
#include "core/ir/graph.h"

namespace xgen::lower {

/// Where the channels of a value lie: channel -> lane * 4 + byte.
using ChannelMap = std::vector<std::int32_t>;

/// The memory of one value, made as needed.
struct Placement {
  std::optional<xgen_planes> planes;
  std::map<int, xgen_planes> splits;
  std::optional<std::size_t> flat;  ///< row major; XGEN_CONSTANT is set for constants.
  ChannelMap channels;              ///< of planes.
};

/// What computes a convolution with more than one position.
enum class ConvFamily {
  fastest,
  plane_conv,   ///< vectors over positions, an input lane and tap at a time.
  filter_conv,  ///< vectors over filters, for small maps.
  depthwise,    ///< depthwise layers: int8 four taps at a time, fp32 a column of 3x3 windows.
};

struct LowerOptions {
  bool signed_activations =
      false;                ///< store int8 as x ^ 0x80: what the architecture's dot product reads.
  int dense_group_f32 = 8;  ///< filters a group of dense layers.
  int dense_group_i8 = 8;
  int vector_lanes = 16;        ///< of the widest vector: what a convolution over positions fills.
  std::size_t cache_bytes = 0;  ///< a core's own: pairs of layers are computed in parts for it.
  /// Taken where it serves a layer; plane_conv serves all.
  ConvFamily conv_family = ConvFamily::fastest;
  bool use_sparsity = true;  ///< false: pruned layers are compiled as dense ones, for comparison.
  bool fill_weights = true;  ///< false: those of convolutions are counted, not stored.
};

/// The state of one lowering: the program so far and the placement of values.
///
/// Arena offsets are symbolic until the memory plan: (buffer << 40) + distance.
class Context {
 public:
  Context(const ir::Graph& graph, const LowerOptions& options);

  const ir::Graph& graph() const { return graph_; }
  const ir::Value& value(ir::ValueId id) const { return graph_.value(id); }
  const ValueLayout& layout(ir::ValueId id) const { return layouts_[static_cast<std::size_t>(id)]; }
  const LowerOptions& options() const { return options_; }
  Program& program() { return program_; }

  /// A new buffer of the arena; sizes are rounded up to 64 bytes.
  std::size_t buffer(std::size_t bytes);
  const std::vector<std::size_t>& buffer_bytes() const { return buffers_; }
  /// Appends to weights.bin, 64-byte aligned. @return the offset.
  std::size_t store(const void* data, std::size_t bytes);
  template <class T>
  std::size_t store(const std::vector<T>& values) {
    return store(values.data(), values.size() * sizeof(T));
  }
  /// Counts bytes of weights.bin that are not made. What is stored later lies where it would lie
  /// without them, so that it can be read.
  void store_unfilled(std::size_t bytes);
  /// Reserves int32 entries of the tables.
  std::int32_t reserve(std::size_t entries);
  Step& add(Step step);

  /// The value as planes that a kernel writes: in its place of a stack, or a buffer of its own.
  xgen_planes& define_planes(ir::ValueId id);
  /// The same with the channels placed as those of `like`; a place in a stack is given up where
  /// they differ.
  const xgen_planes& define_planes_like(ir::ValueId id, ir::ValueId like);
  /// Undoes define_planes for a kernel that turned out not to serve.
  void forget_planes(ir::ValueId id);
  /// The value as a row-major buffer that a kernel writes.
  std::size_t define_flat(ir::ValueId id);
  /// The value as planes or row major, converted where it only exists in the other form.
  const xgen_planes& planes(ir::ValueId id);
  const xgen_planes& split(ir::ValueId id, int phases);
  /// As planes whose lanes the channels fill in order: a stack whose parts end in the middle of a
  /// lane is brought into this form by way of row-major.
  const xgen_planes& natural_planes(ir::ValueId id);
  /// The planned phase form of a value whose producer writes it besides the planes, if there is
  /// one.
  std::optional<xgen_planes> define_split(ir::ValueId id);
  std::size_t flat(ir::ValueId id);
  const ChannelMap& channels(ir::ValueId id);
  bool has_planes(ir::ValueId id) { return at(id).planes.has_value() || !at(id).splits.empty(); }
  /// The index of a graph input, or -1.
  int external_input(ir::ValueId id) const;
  bool has_flat(ir::ValueId id) { return at(id).flat.has_value(); }
  /// Two names for one row-major buffer: reshape and its kin.
  void alias_flat(ir::ValueId id, std::size_t flat) { at(id).flat = flat; }
  void alias_planes(ir::ValueId id, const xgen_planes& planes, ChannelMap channels);
  /// What packs a row-major value into planes, but for where it comes from.
  xgen_pack pack_args(ir::ValueId id, const xgen_planes& planes);
  /// The table of byte distances of a value's channels, for unpack.
  std::int32_t channel_table(ir::ValueId id, std::size_t plane_distance);
  /// The border value of planes of `v`: 0, or the zero point in every byte as it is stored.
  std::uint32_t border_lane(const ir::Value& v) const;
  xgen_planes make_planes(const ir::Value& v, int planes, const Border& border, int pitch,
                          int phases);

  Program finish();

 private:
  Placement& at(ir::ValueId id) { return placements_[static_cast<std::size_t>(id)]; }
  void place_inputs();
  void unpack(ir::ValueId id);
  void pack(ir::ValueId id, const xgen_planes& planes, std::size_t flat, int external);
  ChannelMap natural_channels(ir::ValueId id) const;
  int lanes_of(ir::ValueId id) const;

  const ir::Graph& graph_;
  LowerOptions options_;
  std::vector<ValueLayout> layouts_;
  std::vector<Placement> placements_;
  std::vector<std::size_t> buffers_;  ///< number 0 is unused, so that no symbolic offset is 0.
  std::map<ir::ValueId, int> external_inputs_;
  std::size_t attributed_ = 0;  ///< bytes of weights and tables that belong to steps so far.
  Program program_;
};

/// Quantization of a u8 value. @throws UserError when it has none: an integer tensor of the model.
struct ScaleZero {
  float scale = 1;
  std::int32_t zero = 0;
};
ScaleZero quant_of(const ir::Value& value);

/// Lowers one node; each family is one file.
void lower_conv(Context& context, const ir::Node& node);
void lower_filter_conv(Context& context,
                       const ir::Node& node);                ///< convolutions with one position.
bool lower_spatial(Context& context, const ir::Node& node);  ///< pools, resize, concat, slice, pad.
bool lower_elementwise(Context& context, const ir::Node& node);  ///< unary and binary over planes.
void lower_row_major(Context& context, const ir::Node& node);    ///< everything else.

/// The activation codes of the generated C.
int activation_code(ir::Activation::Kind kind);
int unary_code(ir::Unary::Kind kind);
int binary_code(ir::Binary::Kind kind);

}  // namespace xgen::lower
