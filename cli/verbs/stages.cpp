#include "cli/run/report.h"
#include "cli/run/run_context.h"
#include "cli/verb.h"
#include "core/error.h"

namespace xgen::cli {

namespace {

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  RunOptions options;
  bool json = false;
};

// The only stage of this kind, where no name is given.
std::string stage_of_kind(const RunConfig& config, const std::string& kind,
                          const std::string& file) {
  std::string found;
  for (const Stage& stage : config.stages) {
    if (kind_of(stage) != kind) continue;
    if (!found.empty())
      throw UserError(str(file, ": has more than one ", kind, " stage; name one with --stage"));
    found = name_of(stage);
  }
  if (found.empty()) throw UserError(str(file, ": has no ", kind, " stage"));
  return found;
}

void add_stage_verb(CLI::App& app, const std::string& kind, const std::string& help) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand(kind, help);
  verb->add_option("config", args->config, "JSON file; docs/config.md describes it.")->required();
  verb->add_option("--stage", args->options.only_stage,
                   "Name of the stage, where there are several.");
  verb->add_option("-o,--output", args->options.output, "Folder of the run; runs/NAME by default.");
  verb->add_option("--measurements", args->options.measurements,
                   "Latencies to decide with, instead of measuring.");
  verb->add_option("--set", args->overrides, "Override a key of the config.");
  verb->add_flag("--json", args->json, "Print the report as one JSON object.");
  verb->callback([args, kind] {
    LoadedConfig loaded = load_config(args->config, args->overrides);
    if (args->options.only_stage.empty())
      args->options.only_stage = stage_of_kind(loaded.config, kind, args->config);
    // What comes before it is taken from the folder, where it was done already.
    const std::filesystem::path folder = args->options.output.empty()
                                             ? std::filesystem::path("runs") / loaded.config.name
                                             : args->options.output;
    args->options.resume = std::filesystem::exists(folder / "config.json");
    const nlohmann::json report = run_pipeline(std::move(loaded), args->options);
    if (args->json)
      print_json(report);
    else
      std::cout << result_table(report);
  });
}

}  // namespace

void add_stages(CLI::App& app, int& /*exit_code*/) {
  add_stage_verb(app, "train", "A run up to and including its train stage.");
  add_stage_verb(app, "prune", "A run up to and including its prune stage.");
  add_stage_verb(app, "quantize", "A run up to and including its quantize stage.");
}

}  // namespace xgen::cli
