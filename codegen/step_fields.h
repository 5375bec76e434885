#pragma once

#include "codegen/runtime/kernels.h"

/// Every field of every step, named once: the memory planner and the C printer visit this list.
///
/// A visitor answers `value(name, field)` for plain data, `arena(name, field)` for offsets into the
/// arena, `constant(name, field)` for offsets into weights.bin and `array(name, field, count)`.
namespace xgen {

// clang-format off
template <class V> void visit_fields(V& v, xgen_planes& s) {
  v.arena("data", s.data); v.value("plane", s.plane); v.value("pitch", s.pitch); v.value("planes", s.planes);
  v.value("height", s.height); v.value("width", s.width); v.value("top", s.top); v.value("left", s.left);
  v.value("bottom", s.bottom); v.value("right", s.right); v.value("phases", s.phases); v.value("border", s.border);
}
template <class V> void visit_fields(V& v, xgen_conv& s) {
  v.planes("y", s.y); v.planes("split", s.split); v.arena("x", s.x); v.value("x_row", s.x_row); v.value("x_group", s.x_group);
  v.value("flat", s.flat); v.value("list", s.list); v.value("begin", s.begin);
  v.value("shared", s.shared); v.value("groups", s.groups); v.value("outputs", s.outputs); v.value("activation", s.activation);
  v.value("alpha", s.alpha); v.value("beta", s.beta); v.constant("weights", s.weights); v.constant("bias", s.bias);
  v.constant("scale", s.scale); v.value("low0", s.low0); v.value("high0", s.high0);
  v.value("low", s.low); v.value("high", s.high); v.arena("residual", s.residual); v.value("residual_plane", s.residual_plane);
  v.value("residual_row", s.residual_row); v.value("add0", s.add0); v.value("add1", s.add1);
  v.value("residual_zero", s.residual_zero); v.value("zero", s.zero);
}
template <class V> void visit_fields(V& v, xgen_filter_conv& s) {
  v.arena("x", s.x); v.arena("y", s.y); v.value("list", s.list); v.value("begin", s.begin); v.value("shared", s.shared);
  v.value("groups", s.groups); v.value("outputs", s.outputs); v.value("activation", s.activation); v.value("alpha", s.alpha);
  v.value("beta", s.beta); v.constant("weights", s.weights); v.constant("bias", s.bias); v.constant("scale", s.scale);
  v.value("low", s.low); v.value("high", s.high); v.value("zero", s.zero);
}
template <class V> void visit_fields(V& v, xgen_pool& s) {
  v.planes("x", s.x); v.planes("y", s.y); v.value("kernel_h", s.kernel_h); v.value("kernel_w", s.kernel_w);
  v.value("stride_h", s.stride_h); v.value("stride_w", s.stride_w); v.value("dilation_h", s.dilation_h);
  v.value("dilation_w", s.dilation_w); v.value("pad_top", s.pad_top); v.value("pad_left", s.pad_left);
  v.value("count_include_pad", s.count_include_pad); v.value("pad_bottom", s.pad_bottom); v.value("pad_right", s.pad_right);
  v.value("x_scale", s.x_scale); v.value("y_scale", s.y_scale); v.value("x_zero", s.x_zero); v.value("zero", s.zero);
}
template <class V> void visit_fields(V& v, xgen_global_pool& s) {
  v.planes("x", s.x); v.arena("y", s.y); v.value("channels", s.channels); v.value("scale", s.scale); v.value("x_zero", s.x_zero);
  v.value("zero", s.zero);
}
template <class V> void visit_fields(V& v, xgen_binary& s) {
  v.planes("a", s.a); v.planes("b", s.b); v.planes("y", s.y); v.value("kind", s.kind); v.value("activation", s.activation);
  v.value("alpha", s.alpha); v.value("beta", s.beta); v.value("low", s.low); v.value("high", s.high);
  v.value("b_per_channel", s.b_per_channel); v.value("add0", s.add0); v.value("add1", s.add1); v.value("a_zero", s.a_zero);
  v.value("b_zero", s.b_zero); v.value("zero", s.zero);
}
template <class V> void visit_fields(V& v, xgen_unary& s) {
  v.planes("x", s.x); v.planes("y", s.y); v.value("kind", s.kind); v.value("alpha", s.alpha); v.value("beta", s.beta);
  v.value("low", s.low); v.value("high", s.high); v.constant("table", s.table);
}
template <class V> void visit_fields(V& v, xgen_copy& s) {
  v.planes("x", s.x); v.planes("y", s.y); v.value("first", s.first); v.value("row", s.row); v.value("row_step", s.row_step);
  v.value("column", s.column); v.value("column_step", s.column_step); v.value("requantize", s.requantize);
  v.value("scale", s.scale); v.value("x_zero", s.x_zero); v.value("zero", s.zero);
}
template <class V> void visit_fields(V& v, xgen_resize& s) {
  v.planes("x", s.x); v.planes("y", s.y); v.value("mode", s.mode); v.value("coordinates", s.coordinates);
  v.value("nearest", s.nearest); v.value("scale_h", s.scale_h); v.value("scale_w", s.scale_w);
}
template <class V> void visit_fields(V& v, xgen_pack& s) {
  v.arena("flat", s.flat); v.value("external", s.external); v.planes("planes", s.planes); v.value("channels", s.channels);
  v.value("channel", s.channel); v.value("quantize", s.quantize); v.value("scale", s.scale); v.value("zero", s.zero);
}
template <class V> void visit_fields(V& v, xgen_move& s) {
  v.arena("x", s.x); v.arena("y", s.y); v.value("size", s.size); v.value("rank", s.rank); v.array("extent", s.extent, s.rank);
  v.array("x_stride", s.x_stride, s.rank); v.array("y_stride", s.y_stride, s.rank); v.value("x_start", s.x_start);
  v.value("y_start", s.y_start);
}
template <class V> void visit_fields(V& v, xgen_broadcast& s) {
  v.arena("a", s.a); v.arena("b", s.b); v.arena("y", s.y); v.value("kind", s.kind); v.value("rank", s.rank);
  v.array("extent", s.extent, s.rank); v.array("a_stride", s.a_stride, s.rank); v.array("b_stride", s.b_stride, s.rank);
}
template <class V> void visit_fields(V& v, xgen_map& s) {
  v.arena("x", s.x); v.arena("y", s.y); v.value("count", s.count); v.value("kind", s.kind); v.value("alpha", s.alpha);
  v.value("beta", s.beta); v.value("low", s.low); v.value("high", s.high);
}
template <class V> void visit_fields(V& v, xgen_axis& s) {
  v.arena("x", s.x); v.arena("y", s.y); v.value("outer", s.outer); v.value("axis", s.axis); v.value("inner", s.inner);
  v.value("kind", s.kind);
}
template <class V> void visit_fields(V& v, xgen_matmul& s) {
  v.arena("a", s.a); v.arena("b", s.b); v.arena("y", s.y); v.value("batch", s.batch); v.value("m", s.m); v.value("n", s.n);
  v.value("k", s.k); v.value("a_batch", s.a_batch); v.value("a_m", s.a_m); v.value("a_k", s.a_k); v.value("b_batch", s.b_batch);
  v.value("b_k", s.b_k); v.value("b_n", s.b_n);
}
template <class V> void visit_fields(V& v, xgen_quantize& s) {
  v.arena("x", s.x); v.arena("y", s.y); v.value("count", s.count); v.value("dequantize", s.dequantize); v.value("scale", s.scale);
  v.value("zero", s.zero);
}
template <class V> void visit_fields(V& v, xgen_transfer& s) {
  v.arena("at", s.at); v.value("external", s.external); v.value("output", s.output); v.value("flip", s.flip); v.value("bytes", s.bytes);
}
template <class V> void visit_fields(V& v, xgen_list& s) {
  v.value("list", s.list); v.value("begin", s.begin); v.value("groups", s.groups); v.value("lanes", s.lanes);
  v.constant("counts", s.counts); v.constant("entries", s.entries); v.constant("patterns", s.patterns); v.constant("taps", s.taps);
  v.value("pattern_taps", s.pattern_taps); v.value("lane_stride", s.lane_stride);
}
template <class V> void visit_fields(V& v, xgen_channel_map& s) {
  v.value("table", s.table); v.value("channels", s.channels); v.constant("map", s.map); v.value("plane", s.plane);
}
// clang-format on

}  // namespace xgen
