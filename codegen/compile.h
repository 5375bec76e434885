#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "codegen/lower/context.h"
#include "codegen/passes/pipeline.h"
#include "codegen/program.h"
#include "core/ir/graph.h"
#include "core/target.h"

namespace xgen {

struct CompileOptions {
  Target target;
  std::map<std::string, std::int64_t> dims;  ///< sizes of symbolic dimensions.
  int batch = 1;                             ///< images per run, where the batch is symbolic.
  bool use_sparsity = true;                  ///< false: masks are ignored, for comparison.
  bool fill_weights = true;  ///< false: a program to be costed, which cannot be run.
  passes::PipelineOptions pipeline;
};

/// A model after all passes, as kernel calls.
struct CompiledModel {
  ir::Graph graph;  ///< what was lowered: static, fused, integer where quantized.
  Program program;
  Target target;
  int batch = 1;                           ///< images per run.
  std::vector<passes::PassRecord> passes;  ///< what each pass did.
  std::vector<std::string>
      notes;  ///< choices that a person should know of, such as a batch bound to 1.
};

/// Compiles a model, dense or pruned, float or QDQ, for a target.
///
/// The leading symbolic dimension of the inputs is the batch: kernels are made for one image, and a
/// run loops over `batch` of them. Other symbols must be in `dims`.
///
/// @throws UserError naming every symbol that is not bound, or the node that no kernel serves.
CompiledModel compile(const ir::Graph& model, const CompileOptions& options);

/// The half of compile() that comes before kernels are chosen: symbols bound, passes run; `program`
/// is empty. @throws UserError as compile does.
CompiledModel prepare(const ir::Graph& model, const CompileOptions& options);

/// How kernels are chosen for a target.
lower::LowerOptions lowering_for(const Target& target);

/// Lowers the graph of a compiled model again, with the masks of these nodes ignored, or of all
/// when `nodes` is null: their zeros are stored and multiplied.
Program lower_dense(const CompiledModel& model, const std::set<std::string>* nodes);

}  // namespace xgen
