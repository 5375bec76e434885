// Layers of real networks as bundles for a foreign target, each with what the static estimate says
// of its kernel call: what scripts/experiments/static_order counts instructions of. Prints JSON, a
// row for each layer.
//
//   static_order TARGET FOLDER

#include <cstdio>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codegen/bundle/bundle.h"
#include "codegen/compile.h"
#include "codegen/latency/fitted_latency.h"
#include "codegen/latency/single_layer.h"
#include "codegen/targets.h"

namespace {

using namespace xgen;

struct Shape {
  int c_in, c_out, kernel, size;
  int stride = 1, groups = 1;
};

// ResNet-20 at 32x32; ResNets, MobileNets and a SqueezeNet at 112x112: sizes that an emulator with
// a trace gets through.
const std::vector<Shape> kShapes = {
    {3, 16, 3, 32},           {16, 16, 3, 32},        {16, 32, 3, 32, 2},
    {32, 32, 3, 16},          {64, 64, 3, 8},         {64, 64, 3, 28},
    {64, 128, 3, 28, 2},      {128, 128, 3, 14},      {256, 256, 3, 7},
    {64, 256, 1, 28},         {256, 64, 1, 28},       {512, 128, 1, 14},
    {1024, 256, 1, 7},        {512, 512, 1, 4},       {512, 1000, 1, 1},
    {16, 96, 1, 56},          {144, 24, 1, 28},       {96, 576, 1, 7},
    {16, 64, 3, 27},          {96, 96, 3, 56, 2, 96}, {144, 144, 3, 28, 1, 144},
    {384, 384, 3, 7, 1, 384}, {72, 72, 5, 28, 2, 72}};

LayerShape layer_of(const Shape& s, bool int8) {
  LayerShape shape = latency::square_layer(s.c_in, s.c_out, s.kernel, s.size, int8);
  shape.stride = s.stride;
  shape.groups = s.groups;
  return shape;
}

// Dense, and pruned as the target serves it where a layer is wide enough to be pruned.
std::vector<LayerVariant> variants_of(const Shape& s, bool int8) {
  const int group = int8 ? 4 : 8, lane = int8 ? 4 : 1;
  std::vector<LayerVariant> variants = {{}};
  if (s.groups > 1 || s.c_in < 16) return variants;
  if (s.kernel == 3)
    variants.push_back({Sparsity::Scheme::pattern, group, lane, 4, 0.5});
  else
    variants.push_back({Sparsity::Scheme::block, group, lane, 0, 0.3});
  return variants;
}

nlohmann::json row_of(const LayerShape& shape, const LayerVariant& variant,
                      const CompileOptions& options, const std::filesystem::path& folder) {
  const CompiledModel compiled = compile(latency::single_layer(shape, variant), options);
  const int step = latency::layer_step(compiled.program);
  const auto at = compiled.program.steps.begin() + step;
  const latency::FittedLatency estimate(
      {{options.target.name, options.target.kernels.back(), "", ""}, {}}, options.target);
  bundle::write_bundle(compiled, folder);
  return {{"shape", to_string(shape)},
          {"variant", to_string(variant)},
          {"scheme", name_of(variant.scheme)},
          {"type", shape.int8 ? "int8" : "fp32"},
          {"kernel", at->kernel},
          {"next", (at + 1)->kernel},
          {"bundle", folder.string()},
          {"us", estimate.predict(shape, variant).us}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: static_order TARGET FOLDER\n");
    return 2;
  }
  try {
    CompileOptions options;
    options.target = find_target(argv[1]);
    nlohmann::json rows = nlohmann::json::array();
    for (const bool int8 : {false, true}) {
      for (const Shape& s : kShapes) {
        for (const LayerVariant& variant : variants_of(s, int8))
          rows.push_back(row_of(layer_of(s, int8), variant, options,
                                std::filesystem::path(argv[2]) / std::to_string(rows.size())));
      }
    }
    std::printf("%s\n", nlohmann::json({{"kernels", options.target.kernels.back()}, {"rows", rows}})
                            .dump(1)
                            .c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  return 0;
}
