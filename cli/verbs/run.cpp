#include "cli/run/plan.h"
#include "cli/run/report.h"
#include "cli/run/run_context.h"
#include "cli/verb.h"

namespace xgen::cli {

void add_run(CLI::App& app, int& /*exit_code*/) {
  struct Arguments {
    std::string config;
    std::vector<std::string> overrides;
    RunOptions options;
    bool dry_run = false, json = false;
  };
  auto args = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand(
      "run", "Every stage of a config in order: train, prune, quantize, compile, report.");
  verb->add_option("config", args->config, "JSON file; docs/config.md describes it.")->required();
  verb->add_option("-o,--output", args->options.output, "Folder of the run; runs/NAME by default.");
  verb->add_flag("--resume", args->options.resume, "Go on where a killed or stopped run was.");
  verb->add_flag("--dry-run", args->dry_run,
                 "Check everything and print the plan, with estimated time and memory.");
  verb->add_option("--measurements", args->options.measurements,
                   "Latencies to decide with, instead of measuring: the file of an earlier run.");
  verb->add_option("--shared-stages", args->options.shared_stages,
                   "Folder that runs share: a stage that trains what one of them trained takes it "
                   "from there.");
  verb->add_option("--set", args->overrides,
                   "Override a key of the config: --set stages.prune.fine_tune.epochs=3.");
  verb->add_flag("--json", args->json, "Print the report as one JSON object.");
  verb->callback([args] {
    LoadedConfig loaded = load_config(args->config, args->overrides);
    if (args->dry_run) {
      const nlohmann::json plan = make_plan(loaded);
      if (args->json)
        print_json(plan);
      else
        std::cout << plan_text(plan);
      return;
    }
    const nlohmann::json report = run_pipeline(std::move(loaded), args->options);
    if (args->json)
      print_json(report);
    else
      std::cout << result_table(report);
  });
}

}  // namespace xgen::cli
