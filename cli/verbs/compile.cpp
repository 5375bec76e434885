#include "codegen/compile.h"

#include "cli/explain.h"
#include "cli/measure_compiled.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "codegen/bundle/bundle.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "core/log.h"
#include "core/onnx/import.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

struct Arguments {
  std::string model, output, target = "host", name;
  int threads = 1, batch = 1;
  std::vector<std::string> dims, disabled;
  bool explain = false, embed_weights = false, dense = false, no_measure = false, json = false;
};

std::int64_t sum(const Program& program, std::int64_t Step::*field) {
  std::int64_t total = 0;
  for (const Step& step : program.steps) total += step.*field;
  return total;
}

CompiledModel compile_file(const Arguments& args) {
  CompileOptions options;
  options.target = find_target(args.target);
  options.dims = parse_dims(args.dims);
  options.batch = args.batch;
  options.use_sparsity = !args.dense;
  options.pipeline.disabled = {args.disabled.begin(), args.disabled.end()};
  ir::Graph graph = import_onnx(args.model);
  if (!args.name.empty()) graph.name = args.name;
  try {
    return compile(graph, options);
  } catch (const UserError& error) {
    throw UserError(str(args.model, ": ", error.what()));
  }
}

json measured_json(const CompiledTimes& times) {
  return {{"kernels", times.kernels},
          {"median_ms", 1e-3 * times.whole.median_us},
          {"p95_ms", 1e-3 * times.whole.p95_us},
          {"min_ms", 1e-3 * times.whole.min_us}};
}

json run_compile(const Arguments& args) {
  check_threads(args.threads);
  CompiledModel model = compile_file(args);
  for (const std::string& note : model.notes) log::info(str(args.model, ": ", note));

  std::optional<CompiledTimes> times;
  std::optional<PrunedTimes> pruned;
  std::string reason;
  if (!runs_here(model.target)) {
    reason = str("target \"", model.target.name, "\" is for ", model.target.arch,
                 ": compiled, but not measured on this machine");
    log::info(reason);
    pruned = predict_and_settle(model);
  } else if (args.no_measure) {
    reason = "not measured, as --no-measure asks";
  } else {
    times = measure_and_settle(model);
    pruned = times->pruned;
  }

  bundle::BundleOptions options;
  options.embed_weights = args.embed_weights;
  options.extra = json::object();
  if (times)
    options.extra["measured"] = measured_json(*times);
  else
    options.extra["not_measured"] = reason;
  bundle::write_bundle(model, args.output, options);

  json result = {{"name", model.program.name},
                 {"target", model.target.name},
                 {"output", args.output},
                 {"batch", model.program.batch},
                 {"steps", model.program.steps.size()},
                 {"kernels", model.program.kernels()},
                 {"instruction_sets", model.target.kernels},
                 {"memory_bytes", model.program.memory_bytes()},
                 {"weights_bytes", model.program.weights.size()},
                 {"macs", sum(model.program, &Step::macs)},
                 {"dense_macs", sum(model.program, &Step::dense_macs)},
                 {"notes", model.notes},
                 {"measured", times ? measured_json(*times) : json()},
                 {"not_measured", reason}};
  if (args.explain) result["explain"] = explain(model, pruned ? &*pruned : nullptr);
  return result;
}

std::string joined(const json& words) {
  std::string text;
  for (const json& word : words) text += (text.empty() ? "" : ", ") + word.get<std::string>();
  return text;
}

std::string text_of(const json& r) {
  std::string text;
  if (r.contains("explain")) text += explain_text(r["explain"]) + "\n";
  const auto macs = r["macs"].get<std::int64_t>(), dense = r["dense_macs"].get<std::int64_t>();
  Table table({"<" + r["name"].get<std::string>(), "<for " + r["target"].get<std::string>()});
  table.add({"instruction sets", joined(r["instruction_sets"])});
  table.add({"steps", std::to_string(r["steps"].get<int>())});
  table.add({"kernels", std::to_string(r["kernels"].size())});
  table.add({"multiply-adds",
             grouped(macs) + (macs >= dense ? "" : " of " + grouped(dense) + " without pruning")});
  table.add({"weights", bytes_text(r["weights_bytes"].get<double>())});
  table.add({"memory", bytes_text(r["memory_bytes"].get<double>())});
  table.add({"latency", r["measured"].is_null()
                            ? r["not_measured"].get<std::string>()
                            : fixed_text(r["measured"]["median_ms"], 4) + " ms (" +
                                  r["measured"]["kernels"].get<std::string>() + ")"});
  table.add({"bundle", r["output"]});
  return text + table.text();
}

}  // namespace

void add_compile(CLI::App& app, int& /*exit_code*/) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand(
      "compile", "Makes a bundle of C from an ONNX model: dense or pruned, float or QDQ.");
  verb->add_option("model", args->model, "ONNX file.")->required();
  verb->add_option("-o,--output", args->output,
                   "Folder of the bundle: new, empty, or an earlier bundle.")
      ->required();
  verb->add_option("--target", args->target,
                   "What to compile for: host, a name of `xgen-train targets`, or a JSON file.")
      ->capture_default_str();
  verb->add_option("--threads", args->threads, "Threads of the kernels; 1 is what they use.")
      ->capture_default_str();
  verb->add_option("--batch", args->batch,
                   "Images per run, where the model's first dimension is symbolic.")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  verb->add_option("--dim", args->dims, "NAME=N: the size of a symbolic dimension.");
  verb->add_option("--disable", args->disabled, "A pass to leave out; --explain names them.");
  verb->add_option("--name", args->name,
                   "Name of the model, which begins its C symbols; that in the file if not given.");
  verb->add_flag("--dense", args->dense, "Ignore masks: store and multiply zeros.");
  verb->add_flag("--embed-weights", args->embed_weights,
                 "Write the weights as C too, for systems without files.");
  verb->add_flag("--no-measure", args->no_measure,
                 "Trust masks instead of timing pruned layers against dense ones; needs no C "
                 "compiler.");
  verb->add_flag("--explain", args->explain,
                 "Print every pass, and every kernel call with the reason for its form.");
  verb->add_flag("--json", args->json, "Print one JSON object.");
  verb->callback([args] {
    const json result = run_compile(*args);
    if (args->json)
      print_json(result);
    else
      std::cout << text_of(result);
  });
}

}  // namespace xgen::cli
