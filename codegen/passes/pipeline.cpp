#include "codegen/passes/pipeline.h"

#include <chrono>

#include "codegen/passes/crop_taps.h"
#include "codegen/passes/fuse_epilogue.h"
#include "codegen/passes/hoist_stride.h"
#include "codegen/passes/to_conv.h"
#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/ir/rewrite/fold_batch_norm.h"
#include "core/ir/rewrite/fold_constants.h"
#include "core/ir/rewrite/fold_pad.h"
#include "core/ir/rewrite/lower_quantization.h"
#include "core/ir/rewrite/simplify.h"
#include "core/ir/verify.h"

namespace xgen::passes {

namespace {

struct Pass {
  const char* name;
  ir::Graph (*run)(ir::Graph, int max_patches);
  bool patches = true;  // false: rewrites the whole graph at once, and cannot stop on the way
  ir::Graph (*run_on_shapes)(ir::Graph, int max_patches) = nullptr;  // what is cheaper, if anything
};

// What runs, and in which order: the map of the compiler's graph half. Lowering follows
// (codegen/lower).
const Pass kPasses[] = {
    {"fold_constants", [](ir::Graph g, int n) { return ir::fold_constants(std::move(g), n); }},
    {"simplify", [](ir::Graph g, int n) { return ir::simplify(std::move(g), n); }},
    {"fold_pad", [](ir::Graph g, int n) { return ir::fold_pad(std::move(g), n); }},
    {"fold_batch_norm", [](ir::Graph g, int n) { return ir::fold_batch_norm(std::move(g), n); },
     true, [](ir::Graph g, int n) { return ir::fold_batch_norm(std::move(g), n, false); }},
    {"lower_quantization", [](ir::Graph g, int) { return ir::lower_quantization(std::move(g)); },
     false},
    {"to_conv", [](ir::Graph g, int n) { return to_conv(std::move(g), n); }},
    {"crop_taps", [](ir::Graph g, int n) { return crop_taps(std::move(g), n); }},
    {"hoist_stride", [](ir::Graph g, int n) { return hoist_stride(std::move(g), n); }},
    {"fuse_epilogue", [](ir::Graph g, int n) { return fuse_epilogue(std::move(g), n); }},
};

void check_names(const PipelineOptions& options) {
  const auto find = [&](const std::string& name) -> const Pass& {
    std::string names;
    for (const Pass& pass : kPasses) {
      if (pass.name == name) return pass;
      names += str(names.empty() ? "" : ", ", pass.name);
    }
    throw UserError(str("unknown pass \"", name, "\"; passes: ", names));
  };
  for (const std::string& name : options.disabled) find(name);
  for (const auto& [name, count] : options.max_patches) {
    if (find(name).patches) continue;
    throw UserError(str("pass \"", name,
                        "\" rewrites the whole graph at once and cannot stop after ", count,
                        " patches; disable it, or let it run"));
  }
}

}  // namespace

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const Pass& pass : kPasses) names.emplace_back(pass.name);
  return names;
}

ir::Graph run_pipeline(ir::Graph graph, const PipelineOptions& options,
                       std::vector<PassRecord>* records) {
  check_names(options);
  graph = ir::infer_shapes(std::move(graph));
  for (const Pass& pass : kPasses) {
    if (options.disabled.count(pass.name) != 0) continue;
    const auto limit = options.max_patches.find(pass.name);
    const std::size_t before = graph.nodes().size();
    const auto start = std::chrono::steady_clock::now();
    const bool on_shapes = !options.fold_values && pass.run_on_shapes != nullptr;
    graph = (on_shapes ? pass.run_on_shapes : pass.run)(
        std::move(graph), limit == options.max_patches.end() ? -1 : limit->second);
    graph = ir::infer_shapes(std::move(graph));
    ir::verify(graph, pass.name);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    if (records != nullptr)
      records->push_back({pass.name, elapsed.count(), before, graph.nodes().size()});
  }
  return graph;
}

}  // namespace xgen::passes
