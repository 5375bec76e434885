#include <algorithm>
#include <cmath>

#include "cli/evaluate_compiled.h"
#include "cli/model_file.h"
#include "cli/run/layer_latency.h"
#include "cli/run/run_context.h"
#include "cli/run/twin_times.h"
#include "codegen/bundle/bundle.h"
#include "codegen/latency/ceiling.h"
#include "codegen/latency/timed_model.h"
#include "codegen/latency/timing.h"
#include "codegen/runtime/c_compiler.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "core/ir/infer_shapes.h"
#include "core/log.h"
#include "core/onnx/export.h"
#include "quantize/qdq.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

bool is_quantized(const ir::Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(),
                     [](const ir::Node& n) { return n.as<ir::QuantizeLinear>() != nullptr; });
}

json accuracy_json(const CompiledAccuracy& a) {
  return {{"top1", a.top1}, {"top5", a.top5}, {"loss", a.loss}, {"samples", a.samples}};
}

// The network of one target: as it was before anything was compressed, and as it ships.
struct Compiled {
  CompiledModel fp32, shipped;
};

// A version of the network that is compared. `timed` runs on this machine: it is of this machine's
// target where `program` is of another. Results of int8 are equal on all, of fp32 to rounding.
struct Variant {
  std::string name;
  Program program;
  std::unique_ptr<TimedModel> timed;
  json row;
};

std::int64_t sum_macs(const Program& program, std::int64_t Step::*field) {
  std::int64_t sum = 0;
  for (const Step& step : program.steps) sum += step.*field;
  return sum;
}

// The times of a variant, in microseconds, by their names in measurements.json.
struct TimeField {
  const char* name;
  const char* row;
  double Timing::*us;
};
constexpr TimeField kTimeFields[] = {{"median", "latency_ms", &Timing::median_us},
                                     {"p95", "p95_ms", &Timing::p95_us},
                                     {"min", "min_ms", &Timing::min_us}};

// Times the variants that nothing is known of yet; they decide whether requirements are met.
void remember_times(RunContext& run, const std::string& network, std::vector<Variant>& variants) {
  std::vector<std::string> names;
  std::vector<std::function<void()>> functions;
  for (Variant& v : variants) {
    const std::string name = str(network, v.name, " ");
    if (std::all_of(std::begin(kTimeFields), std::end(kTimeFields), [&](const TimeField& field) {
          return run.latency().recall(name + field.name).has_value();
        }))
      continue;
    names.push_back(name);
    functions.emplace_back([&v] { v.timed->run(); });
  }
  if (functions.empty()) return;
  const std::vector<Timing> timings = time_interleaved(functions, 31, 301, 0.01);
  std::map<std::string, double> fresh;
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (const TimeField& field : kTimeFields) fresh[names[i] + field.name] = timings[i].*field.us;
  }
  run.latency().remember(fresh);
}

void add_times(RunContext& run, const std::string& stage, std::vector<Variant>& variants) {
  if (!run.latency().measures()) {
    for (Variant& v : variants) {
      const latency::Prediction p = run.latency().model().predict(v.program);
      v.row["latency_ms"] = 1e-3 * p.us;
      v.row["low_ms"] = 1e-3 * p.low_us;
      v.row["high_ms"] = 1e-3 * p.high_us;
    }
    return;
  }
  const std::string network = run.of_round(stage) + " network ";
  remember_times(run, network, variants);
  for (Variant& v : variants) {
    for (const TimeField& field : kTimeFields)
      v.row[field.row] = 1e-3 * *run.latency().recall(str(network, v.name, " ", field.name));
    v.row["code_bytes"] = v.timed->model().code_bytes();
  }
}

void measure_variants(RunContext& run, const std::string& stage, std::vector<Variant>& variants) {
  add_times(run, stage, variants);
  for (Variant& v : variants) {
    log::info(str("accuracy of the compiled kernels: ", v.name));
    v.row.update(
        {{"name", v.name},
         {"size_bytes", v.program.weights.size()},
         {"memory_bytes", v.program.memory_bytes()},
         {"macs", sum_macs(v.program, &Step::macs)},
         {"dense_macs", sum_macs(v.program, &Step::dense_macs)},
         {"validation", accuracy_json(evaluate_kernels(v.timed->model(), run.samples().validation(),
                                                       run.config().data.normalize))},
         {"test", accuracy_json(evaluate_kernels(v.timed->model(), run.data().test,
                                                 run.config().data.normalize))}});
  }
}

// @param ceiling  of the machine that the times are of, or zeros.
json layer_rows(const Variant& compressed, const latency::LayerTwinTimes& times,
                const std::set<std::string>& losers, const latency::Ceiling& ceiling) {
  json rows = json::array();
  for (const LayerCalls& layer : by_layer(steps_of(compressed.program))) {
    const StepInfo& step = layer.info;
    json row = {{"name", step.name},
                {"op", step.op},
                {"kernel", step.kernel},
                {"scheme", step.scheme},
                {"sizes", step.sizes},
                {"macs", step.macs},
                {"status", step.scheme == "dense" ? "dense" : "pruned"},
                {"reason", ""}};
    const auto found = times.find(step.name);
    if (found != times.end()) {
      const double ms = 1e-3 * found->second.compressed_us;
      const double gflops = 2e-6 * static_cast<double>(step.macs) / ms;
      const double top = step.kernel.find("_i8") != std::string::npos ? ceiling.int8 : ceiling.fp32;
      row["ms"] = ms;
      row["dense_ms"] = 1e-3 * found->second.dense_us;
      row["gflops"] = gflops;
      if (top > 0) row["ceiling_share"] = 1e9 * gflops / top;
      if (losers.count(step.name) != 0)
        row["reason"] = "compiled dense: " + text_of_loser(found->second);
      else if (step.scheme != "dense")
        row["reason"] =
            str(std::round(100 * found->second.dense_us / found->second.compressed_us) / 100,
                " times as fast as dense");
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// The wishes, each with what was reached. Accuracy is judged on held-back training data; the test
// set is only reported.
json check_requirements(const Requirements& wanted, const json& compressed, const json& dense) {
  json rows = json::array();
  const auto check = [&](const char* name, const std::optional<double>& limit, double got) {
    if (limit)
      rows.push_back({{"name", name}, {"wanted", *limit}, {"got", got}, {"met", got <= *limit}});
  };
  check("accuracy_drop_max", wanted.accuracy_drop_max,
        100 * (dense["validation"]["top1"].get<double>() -
               compressed["validation"]["top1"].get<double>()));
  check("latency_ms_max", wanted.latency_ms_max, compressed["latency_ms"].get<double>());
  check("latency_share_max", wanted.latency_share_max,
        compressed["latency_ms"].get<double>() / dense["latency_ms"].get<double>());
  check("size_bytes_max", wanted.size_bytes_max, compressed["size_bytes"].get<double>());
  check("peak_ram_bytes_max", wanted.peak_ram_bytes_max, compressed["memory_bytes"].get<double>());
  return rows;
}

}  // namespace

StageResult run_compile_stage(RunContext& run, const CompileStage& stage, const ir::Graph& graph) {
  const bool int8 = is_quantized(graph);
  const ir::Graph final_graph = int8 ? ir::infer_shapes(quantize::bake_weights(graph)) : graph;
  const auto compiled_for = [&](const Target& target) {
    CompileOptions options;
    options.target = target;
    options.batch = stage.batch;
    return Compiled{compile(deployed_form(run, run.graphs.at(run.dense_stage), false), options),
                    compile(final_graph, options)};
  };
  const bool here = run.latency().measures();
  Compiled compiled = compiled_for(run.target());
  const Compiled runnable = here ? compiled : compiled_for(find_target("host"));
  json record = {
      {"kernels", here ? kernels::host_isas().back()->name : run.target().kernels.back()},
      {"compiler", CCompiler(host_compiler()).version()},
      {"target", run.target().name}};
  if (!here) {
    record["reason"] =
        str("target \"", run.target().name, "\" is for ", run.target().arch,
            ": its kernels do not run on this machine. Times are ", run.latency().model().source(),
            "; accuracy is that of this machine's kernels",
            int8 ? ", whose int8 results are the same" : "");
    run.note(record["reason"]);
  }
  std::vector<Variant> variants;
  const auto add = [&](const std::string& name, const auto& program_of) {
    variants.push_back({name, program_of(compiled),
                        std::make_unique<TimedModel>(program_of(runnable)), json::object()});
  };
  add("dense fp32", [](const Compiled& c) { return c.fp32.program; });
  add(int8 ? "dense int8" : "dense",
      [](const Compiled& c) { return lower_dense(c.shipped, nullptr); });
  add("compressed", [](const Compiled& c) { return c.shipped.program; });
  // Law 1 over the whole network: layers whose kernels lose against their dense twins are compiled
  // dense.
  const auto times = twin_times(run, stage.name, variants[2].program, variants[1].program, [&] {
    return latency::time_twins({variants[2].program, *variants[2].timed},
                               {variants[1].program, *variants[1].timed});
  });
  const std::set<std::string> losers = latency::losers(compiled.shipped.program, times);
  if (!losers.empty()) {
    variants.pop_back();
    add("compressed", [&](const Compiled& c) { return lower_dense(c.shipped, &losers); });
    compiled.shipped.program = variants.back().program;
  }
  measure_variants(run, stage.name, variants);
  const Variant &dense = variants.front(), &compressed = variants.back();
  record["layers"] =
      layer_rows(compressed, times, losers, here ? latency::measure_ceiling() : latency::Ceiling());
  record["validation"] = compressed.row["validation"];
  record["requirements"] = check_requirements(run.config().requirements, compressed.row, dense.row);
  record["variants"] = record["points"] = json::array();
  for (const Variant& v : variants) {
    record["variants"].push_back(v.row);
    record["points"].push_back({{"label", v.name},
                                {"latency_ms", v.row["latency_ms"]},
                                {"accuracy", v.row["validation"]["top1"]}});
  }

  bundle::BundleOptions bundle_options;
  const train::NormalizeConfig& normalize = run.config().data.normalize;
  bundle_options.extra = {{"preprocessing",
                           {{"divide", normalize.divide},
                            {"mean", normalize.mean},
                            {"std", normalize.std},
                            {"layout", "NCHW"}}},
                          {"classes", run.data().train.class_names()}};
  bundle_options.extra[here ? "measured" : "predicted"] = compressed.row;
  bundle::write_bundle(compiled.shipped, run.folder() / "bundle", bundle_options);
  export_onnx(final_graph, run.folder() / "model.onnx", {{"xgen.run", run.config().name}});
  record["bundle"] = "bundle";
  return {graph, std::move(record)};
}

}  // namespace xgen::cli
