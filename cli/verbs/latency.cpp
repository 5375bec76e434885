#include <algorithm>
#include <cmath>
#include <map>

#include "cli/model_file.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "codegen/latency/build_table.h"
#include "codegen/latency/device_times.h"
#include "codegen/latency/tables.h"
#include "codegen/latency/timed_model.h"
#include "codegen/latency/timing.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "core/onnx/import.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

struct Arguments {
  std::string target = "host", model, file, first, second;
  std::vector<std::string> dims, from;
  double minutes = 2;
  std::uint64_t seed = 1;
  bool json = false;
};

std::string percent(double share) { return fixed_text(100 * share, 1) + " %"; }

json fits_of(const latency::LatencyTable& table) {
  json rows = json::array();
  for (const auto& [kernel, fit] : table.fits()) {
    json factors = json::object();
    const auto& names = latency::work_names(kernel);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (fit.factors[i] > 0) factors[names[i]] = 1e3 * fit.factors[i];
    }
    rows.push_back({{"kernel", kernel},
                    {"samples", fit.samples},
                    {"median_error", fit.median_error},
                    {"p95_error", fit.p95_error},
                    {"ns_per_count", factors}});
  }
  return rows;
}

std::string fits_text(const latency::LatencyTable& table) {
  const latency::Platform& p = table.platform();
  Table rows({"<kernel", "samples", "median error", "95 % within", "<ns per count"});
  for (const json& fit : fits_of(table)) {
    std::string factors;
    for (const auto& [name, ns] : fit["ns_per_count"].items())
      factors += str(factors.empty() ? "" : ", ", name, " ", fixed_text(ns, 2));
    rows.add({fit["kernel"], std::to_string(fit["samples"].get<std::size_t>()),
              percent(fit["median_error"]), percent(fit["p95_error"]), factors});
  }
  return str(p.cpu, ", ", p.kernels, ", ", p.compiler, "\n", rows.text());
}

latency::LatencyTable table_for(const Arguments& args) {
  const Target target = find_target(args.target);
  if (!args.file.empty()) {
    latency::LatencyTable table = latency::LatencyTable::load(args.file);
    if (table.platform().target != target.name)
      throw UserError(str(args.file, ": /target: expected \"", target.name, "\", got \"",
                          table.platform().target, "\""));
    return table;
  }
  const latency::Platform platform = latency::host_platform(target);
  if (auto table = latency::find_table(platform)) return *table;
  log::info(str("no latency table of ", platform.cpu, " with ", platform.kernels,
                ": the static estimate serves; `xgen-train latency build` measures one in two "
                "minutes"));
  return {platform, {}};
}

// What `build` says of a finished table.
void say(const latency::LatencyTable& table, const std::string& file, const Arguments& args) {
  if (args.json) {
    print_json({{"file", file}, {"samples", table.samples().size()}, {"fits", fits_of(table)}});
    return;
  }
  std::cout << fits_text(table) << table.samples().size() << " kernels measured; " << file << "\n";
}

void build_from_device(const Arguments& args) {
  const latency::LatencyTable table =
      latency::table_of_device({args.from.begin(), args.from.end()});
  const std::string file =
      args.file.empty() ? latency::table_file(table.platform()).string() : args.file;
  table.save(file);
  say(table, file, args);
}

void build(const Arguments& args) {
  if (!args.from.empty()) return build_from_device(args);
  const Target target = find_target(args.target);
  latency::BuildOptions options;
  options.minutes = args.minutes;
  options.seed = args.seed;
  options.file = args.file.empty() ? latency::table_file(latency::host_platform(target))
                                   : std::filesystem::path(args.file);
  log::Progress progress("latency build", static_cast<std::int64_t>(60 * args.minutes), "seconds");
  options.progress = [&](double minutes, std::size_t kernels) {
    progress.update(static_cast<std::int64_t>(60 * std::min(minutes, args.minutes)),
                    str(kernels, " kernels"));
  };
  options.stop_requested = [] { return interrupt_requested(); };
  const latency::LatencyTable table = latency::build_table(target, options);
  if (interrupt_requested())
    throw Interrupted(str("stopped after ", table.samples().size(), " kernels, which are kept in ",
                          options.file.string(), "; the same command goes on"));
  say(table, options.file.string(), args);
}

// What a kernel takes by one table, over what it takes by another, on the calls that either
// measured.
struct Ratio {
  std::string kernel;
  std::size_t calls = 0;
  double median = 0, p10 = 0, p90 = 0;
};

std::vector<Ratio> ratios(const latency::LatencyTable& a, const latency::LatencyTable& b) {
  std::map<std::string, std::vector<double>> by_kernel;
  for (const latency::LatencyTable* table : {&a, &b}) {
    for (const latency::Sample& sample : table->samples()) {
      const std::string& kernel = sample.work.kernel;
      if (a.fits().count(kernel) == 0 || b.fits().count(kernel) == 0) continue;
      const double first = a.predict(sample.work), second = b.predict(sample.work);
      if (first > 0) by_kernel[kernel].push_back(second / first);
    }
  }
  std::vector<Ratio> rows;
  for (auto& [kernel, values] : by_kernel) {
    std::sort(values.begin(), values.end());
    const auto at = [&](double share) {
      return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
    };
    rows.push_back({kernel, values.size(), at(0.5), at(0.1), at(0.9)});
  }
  return rows;
}

std::string name_of(const latency::LatencyTable& table) {
  return str(table.platform().cpu, ", ", table.platform().kernels, ", ", table.platform().compiler);
}

void compare(const std::string& first, const std::string& second, bool as_json) {
  const auto a = latency::LatencyTable::load(first), b = latency::LatencyTable::load(second);
  json rows = json::array();
  Table text({"<kernel", "calls", "second over first", "10 %", "90 %"});
  for (const Ratio& r : ratios(a, b)) {
    rows.push_back({{"kernel", r.kernel},
                    {"calls", r.calls},
                    {"second_over_first", r.median},
                    {"p10", r.p10},
                    {"p90", r.p90}});
    text.add({r.kernel, std::to_string(r.calls), fixed_text(r.median, 2), fixed_text(r.p10, 2),
              fixed_text(r.p90, 2)});
  }
  if (rows.empty()) throw UserError(str(first, " and ", second, ": no kernel is in both tables"));
  json only = json::array();
  for (const auto& [here, there] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    for (const auto& [kernel, fit] : here->fits()) {
      if (there->fits().count(kernel) == 0) only.push_back(kernel);
    }
  }
  if (as_json) {
    print_json(
        {{"first", name_of(a)}, {"second", name_of(b)}, {"kernels", rows}, {"in_one", only}});
    return;
  }
  std::cout << "first:  " << name_of(a) << "\nsecond: " << name_of(b) << "\n" << text.text();
  for (const json& kernel : only)
    std::cout << kernel.get<std::string>() << " is in one table alone\n";
}

/// A model's program for the table's instruction set.
CompiledModel compiled(const Arguments& args, const std::string& target) {
  CompileOptions options;
  options.target = find_target(target);
  options.dims = parse_dims(args.dims);
  return compile(import_onnx(args.model), options);
}

json check(const Arguments& args) {
  const latency::LatencyTable table = table_for(args);
  const CompiledModel model = compiled(args, args.target);
  const Program& program = model.program;
  const latency::Machine machine = latency::machine_of(model.target, table.platform().kernels);
  TimedModel timed(HostModel::build(program, {machine.isa.name}));
  std::vector<std::function<void()>> functions{[&] { timed.run(); }};
  for (std::size_t s = 0; s < program.steps.size(); ++s)
    functions.emplace_back([&timed, s] { timed.run_step(static_cast<int>(s)); });
  const std::vector<Timing> timings = time_interleaved(functions, 11, 61, 0.01);
  json rows = json::array();
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const auto p = table.predict(work_of(program, program.steps[s], machine), machine);
    rows.push_back({{"name", program.steps[s].name},
                    {"kernel", program.steps[s].kernel},
                    {"predicted_us", p.us},
                    {"measured_us", timings[s + 1].median_us}});
  }
  const latency::Prediction whole = table.predict(program, machine);
  return {{"predicted_ms", 1e-3 * whole.us},
          {"measured_ms", 1e-3 * timings[0].median_us},
          {"kernels", rows}};
}

std::string check_text(const json& result) {
  Table rows({"<kernel call", "<kernel", "predicted us", "measured us", "error"});
  std::size_t within = 0;
  for (const json& k : result["kernels"]) {
    const double predicted = k["predicted_us"], measured = k["measured_us"];
    const double error = predicted / measured - 1;
    within += std::abs(error) <= 0.1 ? 1 : 0;
    rows.add({k["name"], k["kernel"], fixed_text(predicted, 2), fixed_text(measured, 2),
              percent(error)});
  }
  const double predicted = result["predicted_ms"], measured = result["measured_ms"];
  return str(rows.text(), within, " of ", result["kernels"].size(),
             " kernels within 10 %; whole model: predicted ", fixed_text(predicted, 4),
             " ms, measured ", fixed_text(measured, 4), " ms (", percent(predicted / measured - 1),
             ")\n");
}

json predict(const Arguments& args) {
  const CompiledModel model = compiled(args, args.target);
  const latency::LatencyTable table =
      runs_here(model.target) || !args.file.empty()
          ? table_for(args)
          : latency::LatencyTable({model.target.name, model.target.kernels.back(), "", ""}, {});
  const latency::Machine machine = latency::machine_of(model.target, table.platform().kernels);
  const latency::Prediction p = table.predict(model.program, machine);
  return {{"latency_ms", 1e-3 * p.us},
          {"low_ms", 1e-3 * p.low_us},
          {"high_ms", 1e-3 * p.high_us},
          {"extrapolated", p.extrapolated},
          {"source", table.fits().empty() ? "static estimate" : table.platform().cpu}};
}

}  // namespace

void add_latency(CLI::App& app, int& /*exit_code*/) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("latency", "Latency models of the generated kernels.");
  verb->require_subcommand(1);
  const auto common = [&](CLI::App* sub, const char* file) {
    sub->add_option("--target", args->target, "Device; host is this machine.")
        ->capture_default_str();
    sub->add_option("--table", args->file, file);
    sub->add_flag("--json", args->json, "Print one JSON object.");
  };
  CLI::App* build_verb = verb->add_subcommand(
      "build",
      "Measures kernels of sampled networks here and fits a table; goes on with a table "
      "that was begun.");
  common(build_verb, "File of the table; a place of the user's own when not given.");
  build_verb->add_option("--minutes", args->minutes, "How long to measure.")
      ->check(CLI::Range(0.01, 10000.0))
      ->capture_default_str();
  build_verb->add_option("--seed", args->seed, "Of the sampled networks.")->capture_default_str();
  build_verb->add_option("--from", args->from,
                         "FILE ...: instead of measuring here, what the bench program of bundles "
                         "printed on a device.");
  build_verb->callback([args] { build(*args); });

  CLI::App* compare_verb =
      verb->add_subcommand("compare", "How much slower one table's machine is than another's.");
  compare_verb->add_option("first", args->first, "File of a table.")->required();
  compare_verb->add_option("second", args->second, "File of a table.")->required();
  compare_verb->add_flag("--json", args->json, "Print one JSON object.");
  compare_verb->callback([args] { compare(args->first, args->second, args->json); });

  CLI::App* show = verb->add_subcommand("show", "The factors and errors of a table.");
  common(show, "File of a table; that of this machine when not given.");
  show->callback([args] {
    const latency::LatencyTable table = table_for(*args);
    if (args->json)
      print_json({{"fits", fits_of(table)}});
    else
      std::cout << fits_text(table);
  });

  CLI::App* check_verb = verb->add_subcommand(
      "check", "Compares the prediction of a model with its measurement, kernel by kernel.");
  check_verb->add_option("model", args->model, "ONNX file.")->required();
  check_verb->add_option("--dim", args->dims, "NAME=N: the size of a symbolic dimension.");
  common(check_verb, "File of a table; that of this machine when not given.");
  check_verb->callback([args] {
    const json result = check(*args);
    if (args->json)
      print_json(result);
    else
      std::cout << check_text(result);
  });
}

void add_predict(CLI::App& app, int& /*exit_code*/) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb =
      app.add_subcommand("predict", "The latency of a model by its kernels' latency models.");
  verb->add_option("model", args->model, "ONNX file.")->required();
  verb->add_option("--dim", args->dims, "NAME=N: the size of a symbolic dimension.");
  verb->add_option("--target", args->target, "Device; host is this machine.")
      ->capture_default_str();
  verb->add_option("--table", args->file,
                   "File of a latency table; that of the target if not given.");
  verb->add_flag("--json", args->json, "Print one JSON object.");
  verb->callback([args] {
    const json p = predict(*args);
    if (args->json) {
      print_json(p);
      return;
    }
    std::cout << fixed_text(p["latency_ms"], 4) << " ms (" << fixed_text(p["low_ms"], 4) << " to "
              << fixed_text(p["high_ms"], 4) << "), " << p["source"].get<std::string>()
              << (p["extrapolated"].get<bool>() ? "; beyond what was measured\n" : "\n");
  });
}

}  // namespace xgen::cli
