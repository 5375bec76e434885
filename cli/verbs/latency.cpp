#include "cli/latency_reports.h"
#include "cli/model_file.h"
#include "cli/options.h"
#include "cli/verb.h"
#include "codegen/latency/device_times.h"
#include "codegen/latency/quick_build.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "core/log.h"
#include "core/onnx/import.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

struct Arguments {
  TableChoice table;
  std::string model, first, second;
  std::vector<std::string> dims, from;
  double minutes = 2;
  std::uint64_t seed = 1;
  bool json = false;
};

void print(const json& result, std::string (*text)(const json&), bool as_json) {
  if (as_json)
    print_json(result);
  else
    std::cout << text(result);
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
  // Files say what they were measured on; a target that is named must be that one.
  if (args.table.target != "host" && find_target(args.table.target).name != table.platform().target)
    throw UserError(str(args.from.front(), ": /target: expected \"", args.table.target,
                        "\", got \"", table.platform().target, "\""));
  const std::string file =
      args.table.file.empty() ? latency::table_file(table.platform()).string() : args.table.file;
  table.save(file);
  say(table, file, args);
}

void build(const Arguments& args) {
  if (!args.from.empty()) return build_from_device(args);
  const Target target = find_target(args.table.target);
  latency::BuildOptions options;
  options.minutes = args.minutes;
  options.seed = args.seed;
  options.file = args.table.file;
  if (args.table.file.empty()) {
    const latency::Platform here = latency::host_platform(target);
    options.file = latency::table_file(here);
    latency::put_aside_foreign(options.file, here);
  }
  const latency::LatencyTable table = latency::build_with_progress(target, options);
  say(table, options.file.string(), args);
}

// Fits a table again to the samples that it holds.
void fit(const Arguments& args) {
  const std::string& file = args.table.file;
  const auto before = latency::LatencyTable::load(file);
  if (before.samples().empty()) throw UserError(str(file, ": holds no samples to fit"));
  const latency::LatencyTable table(before.platform(), before.samples(), before.measurement());
  table.save(file);
  say(table, file, args);
}

void show(const Arguments& args) {
  if (args.table.file.empty()) {
    const Target target = find_target(args.table.target);
    const latency::Platform here = latency::host_platform(target);
    if (!runs_here(target) || !latency::find_table(here)) {
      if (runs_here(target)) log::warning(latency::text_of_no_table(here));
      const json tables = list_of(latency::all_tables());
      if (args.json)
        print_json({{"tables", tables}, {"file", latency::table_file(here)}});
      else
        std::cout << list_text(tables) << "a table of this machine is looked for in "
                  << latency::table_file(here).string() << "\n";
      return;
    }
  }
  const latency::LatencyTable table = load_table(args.table);
  if (args.json)
    print_json({{"fits", fits_of(table)}});
  else
    std::cout << fits_text(table);
}

void check(const Arguments& args) {
  const latency::LatencyTable table = load_table(args.table);
  if (args.model.ends_with(".json")) {
    print(check_samples(table, latency::LatencyTable::load(args.model)), samples_text, args.json);
    return;
  }
  CompileOptions options;
  options.target = find_target(args.table.target);
  options.dims = parse_dims(args.dims);
  print(check_model(table, compile(import_onnx(args.model), options)), check_text, args.json);
}

void compare(const Arguments& args) {
  print(compare_tables(latency::LatencyTable::load(args.first),
                       latency::LatencyTable::load(args.second)),
        compare_text, args.json);
}

}  // namespace

void add_latency(CLI::App& app, int& /*exit_code*/) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("latency", "Latency models of the generated kernels.");
  verb->require_subcommand(1);
  const auto common = [&](CLI::App* sub, const char* file) {
    sub->add_option("--target", args->table.target, "Device; host is this machine.")
        ->capture_default_str();
    sub->add_option("--table", args->table.file, file);
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
  compare_verb->callback([args] { compare(*args); });

  CLI::App* fit_verb = verb->add_subcommand(
      "fit", "Fits a table again to the measurements that it holds, and stores it.");
  fit_verb->add_option("--table", args->table.file, "File of the table.")->required();
  fit_verb->add_flag("--json", args->json, "Print one JSON object.");
  fit_verb->callback([args] { fit(*args); });

  CLI::App* show_verb = verb->add_subcommand(
      "show", "The factors and errors of a table; which tables there are where none fits.");
  common(show_verb, "File of a table; the one that serves this machine when not given.");
  show_verb->callback([args] { show(*args); });

  CLI::App* check_verb = verb->add_subcommand(
      "check", "Compares the prediction of a model with its measurement, kernel by kernel.");
  check_verb
      ->add_option("model", args->model,
                   "ONNX file; or another table's, whose measurements are predicted.")
      ->required();
  check_verb->add_option("--dim", args->dims, "NAME=N: the size of a symbolic dimension.");
  common(check_verb, "File of a table; the one that serves this machine when not given.");
  check_verb->callback([args] { check(*args); });
}

}  // namespace xgen::cli
