#include <vector>

#include "cli/config.h"
#include "cli/evaluate_compiled.h"
#include "cli/model_file.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "core/error.h"
#include "core/log.h"
#include "train/data/load.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

struct Arguments {
  std::string model, config, split = "test", kernels;
  std::vector<std::string> overrides;
  std::int64_t limit = 0;
  bool json = false;
};

// Spread over the data, which may be sorted by class.
train::Dataset some_samples(const train::Dataset& data, std::int64_t limit) {
  if (limit == 0 || limit >= data.size()) return data;
  std::vector<std::int64_t> positions;
  for (std::int64_t i = 0; i < limit; ++i) positions.push_back(i * data.size() / limit);
  return data.subset(positions);
}

json evaluate(const Arguments& args) {
  const LoadedConfig loaded = load_config(args.config, args.overrides);
  OpenModel open = open_model(args.model, {{}, args.kernels});
  const train::DataSplits splits =
      train::load_data(loaded.config.data, loaded.folder, loaded.config.seed);
  for (const std::string& note : splits.notes) log::warning(note);
  const train::Dataset& split = args.split == "test" ? splits.test : splits.validation;
  if (split.empty())
    throw UserError(str(args.config, ": /data: the ", args.split, " split is empty"));
  const train::Dataset data = some_samples(split, args.limit);
  try {
    const CompiledAccuracy accuracy =
        evaluate_kernels(open.model, data, loaded.config.data.normalize);
    return {{"top1", accuracy.top1},         {"top5", accuracy.top5}, {"loss", accuracy.loss},
            {"samples", accuracy.samples},   {"split", args.split},   {"path", args.model},
            {"kernels", open.kernels_text()}};
  } catch (const UserError& error) {
    throw UserError(str(args.model, ": ", error.what()));
  }
}

}  // namespace

void add_evaluate(CLI::App& app, int& /*exit_code*/) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand(
      "evaluate", "The accuracy of a model's generated kernels on the data of a config.");
  verb->add_option("model", args->model, "ONNX file, bundle, or folder of a run.")->required();
  verb->add_option("-c,--config", args->config, "Config of a run, whose data are used.")
      ->required();
  verb->add_option("--split", args->split, "Which part of the data.")
      ->check(CLI::IsMember({"test", "validation"}))
      ->capture_default_str();
  verb->add_option("--limit", args->limit, "Only N samples, spread over the data; 0 takes all.")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb->add_option("--kernels", args->kernels,
                   "Instruction set, such as scalar or x86-avx2; the best of this machine if not "
                   "given.");
  verb->add_option("--set", args->overrides, "Override a key of the config.");
  verb->add_flag("--json", args->json, "Print one JSON object.");
  verb->callback([args] {
    const json result = evaluate(*args);
    if (args->json) {
      print_json(result);
      return;
    }
    Table table({"<model", "<kernels", "samples", "top-1", "top-5", "loss"});
    table.add({args->model, result["kernels"], grouped(result["samples"].get<std::int64_t>()),
               fixed_text(100 * result["top1"].get<double>(), 2) + " %",
               fixed_text(100 * result["top5"].get<double>(), 2) + " %",
               fixed_text(result["loss"], 4)});
    std::cout << table.text();
  });
}

}  // namespace xgen::cli
