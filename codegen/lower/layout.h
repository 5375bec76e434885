#pragma once

#include <array>
#include <map>
#include <vector>

#include "codegen/runtime/kernels.h"
#include "core/ir/graph.h"

/// Which form each spatial value takes (DESIGN section 4), decided for the whole graph before any
/// kernel is chosen: pitch shared by what is computed at the same positions, borders wide enough
/// for every reader, phase planes for strided readers, slices of a bigger stack for what is
/// concatenated.
namespace xgen::lower {

struct Border {
  int top = 0, left = 0, bottom = 0, right = 0;
  void widen(const Border& other);
};

/// What is known of one value.
struct ValueLayout {
  bool spatial = false;          ///< [1, c, h, w] with more than one position: lives in planes.
  Border border;                 ///< of the stride-1 form, over all its stride-1 readers.
  std::map<int, Border> splits;  ///< by phase count: borders of a phase form for strided readers.
  bool plain = false;            ///< somebody reads or writes the stride-1 form.
  int pitch = 0;                 ///< lanes of a row of the stride-1 form.
  ir::ValueId stack = ir::kNoValue;  ///< written straight into this concatenation's planes ...
  int first_lane = 0;                ///< ... from this lane on.
};

/// Extents of a spatial value.
struct Spatial {
  int channels = 0, height = 0, width = 0;
};
bool is_spatial(const ir::Value& value);
Spatial spatial_of(const ir::Value& value);
/// Channels that share a 32-bit lane: 4 for u8, else 1.
int lane_channels(const ir::Value& value);

/// How a convolution reads its input's planes.
struct ConvReading {
  int phases = 1;  ///< above 1: in a form split by columns.
  Border border;
  bool same_positions = false;  ///< the result is computed at the input's positions, in its pitch.
};
/// @param one_position  the result has a single position: filter_conv reads, stride or not.
ConvReading reading_of(const ir::Conv& conv, bool one_position);

/// Lanes of a row of this width, whose right border is the left one of the next row.
int pitch_of(int width, const Border& border);

/// Planes in a buffer of their own: `data` counts from its start, the border's value is left open.
/// @param pitch  of the form without phases; others have their own.
xgen_planes planes_of(const Spatial& extents, int planes, const Border& border, int pitch,
                      int phases);

/// One entry for each value of `graph`, whose shapes are static and whose batch is 1.
std::vector<ValueLayout> plan_layout(const ir::Graph& graph);

}  // namespace xgen::lower
