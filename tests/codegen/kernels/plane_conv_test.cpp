#include "codegen/kernels/plane_conv.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include "codegen/bundle/sources.h"
#include "codegen/kernels/isa.h"
#include "codegen/latency/single_layer.h"
#include "codegen/lower/lower.h"
#include "codegen/runtime/c_compiler.h"

namespace xgen::kernels {
namespace {

namespace fs = std::filesystem;

// A layer that is lowered to the variant.
ir::Graph layer_of(const PlaneConvVariant& variant) {
  LayerShape shape;
  shape.c_in = 64;
  shape.c_out = 64;
  shape.groups = variant.group == 1 || variant.type == ConvType::i8_depthwise ? 64 : 1;
  shape.kernel_h = shape.kernel_w = 3;
  shape.height = shape.width = 28;
  shape.pad_top = shape.pad_left = shape.pad_bottom = shape.pad_right = 1;
  shape.int8 = variant.type != ConvType::f32;
  ir::Graph graph = latency::single_layer(shape, {});
  if (variant.type == ConvType::i8_f32) {
    ir::Value& y = graph.value(graph.outputs()[0]);
    y.type.dtype = ir::DType::f32;
    y.type.quant.reset();
  }
  return graph;
}

// Vector registers that the innermost loop of each tile moves to or from the stack, in the assembly
// of one variant.
int stack_traffic(const std::string& assembly, const std::string& symbol) {
  const std::regex function("^" + symbol + "_t[0-9]+:"), end("^\\s*\\.size\\s"),
      label("^\\.L[0-9]+:"), jump("^\\s*j[a-z]+\\s+(\\.L[0-9]+)");
  const std::regex spill(
      "(vmov[a-z0-9]*.*[xyz]mm[0-9]+.*\\(%r[sb]p|vmov[a-z0-9]*\\s+-?[0-9]*\\(%r[sb]p)");
  int traffic = 0;
  std::vector<std::string> lines;
  bool inside = false;
  std::istringstream text(assembly);
  for (std::string line; std::getline(text, line);) {
    if (std::regex_search(line, function)) inside = true, lines.clear();
    if (!inside) continue;
    lines.push_back(line);
    if (!std::regex_search(line, end)) continue;
    inside = false;
    // The loop over entries is the backward jump with multiply-adds between its label and itself.
    for (std::size_t i = 0; i < lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_search(lines[i], match, jump)) continue;
      for (std::size_t first = 0; first < i; ++first) {
        if (lines[first] != match[1].str() + ":") continue;
        int products = 0, spills = 0;
        for (std::size_t k = first; k < i; ++k) {
          products += std::regex_search(lines[k], std::regex("vfmadd|vpdpbusd|vpmaddwd")) ? 1 : 0;
          spills += std::regex_search(lines[k], spill) ? 1 : 0;
        }
        if (products > 0) traffic += spills;
      }
    }
  }
  return traffic;
}

TEST(PlaneConv, KeepsItsAccumulatorsInRegisters) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "reads x86 assembly";
#endif
  const fs::path folder = fs::temp_directory_path() / "xgen-plane-conv-test";
  fs::create_directories(folder);
  for (const PlaneConvVariant& variant : plane_conv_variants()) {
    for (const Isa& isa : all_isas()) {
      if (isa.arch != std::string("x86_64")) continue;
      lower::LowerOptions options;
      options.conv_family = variant.type == ConvType::i8_depthwise ? lower::ConvFamily::depthwise
                                                                   : lower::ConvFamily::plane_conv;
      options.dense_group_f32 = options.dense_group_i8 = variant.group;
      const Program program = lower::lower(layer_of(variant), options);
      ASSERT_EQ(program.kernels().count(variant.symbol()), 1U) << variant.symbol();
      std::ofstream(folder / "kernels.h") << bundle::kernels_header(program);
      std::ofstream(folder / "k.c") << bundle::kernels_source(program, isa);
      const std::string command = str(host_compiler(), " ", kCFlags, " -S -o ",
                                      (folder / "k.s").string(), " ", (folder / "k.c").string());
      ASSERT_EQ(std::system(command.c_str()), 0) << command;
      std::ifstream file(folder / "k.s");
      const std::string assembly((std::istreambuf_iterator<char>(file)), {});
      ASSERT_NE(assembly.find(variant.symbol() + "_t1:"), std::string::npos);
      EXPECT_EQ(stack_traffic(assembly, variant.symbol()), 0)
          << variant.symbol() << " on " << isa.name;
    }
  }
  fs::remove_all(folder);
}

TEST(PlaneConv, TilesFitTheRegisterFile) {
  for (const PlaneConvVariant& variant : plane_conv_variants()) {
    for (const Isa& isa : all_isas()) {
      const int tile = widest_tile(variant, isa);
      EXPECT_GE(tile, 1);
      if (isa.lanes > 1) {
        EXPECT_LE(tile * variant.group, isa.registers) << variant.symbol() << " on " << isa.name;
      }
    }
  }
}

}  // namespace
}  // namespace xgen::kernels
