#include "cli/latency_reports.h"
#include "cli/model_file.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "codegen/targets.h"
#include "core/onnx/import.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

struct Arguments {
  TableChoice table;
  std::string model;
  std::vector<std::string> dims;
  bool json = false;
};

json predict(const Arguments& args) {
  CompileOptions options;
  options.target = find_target(args.table.target);
  options.dims = parse_dims(args.dims);
  const CompiledModel model = compile(import_onnx(args.model), options);
  const latency::LatencyTable table = load_table(args.table);
  const latency::Machine machine = table.machine(model.target);
  const latency::Prediction p = table.predict(model.program, machine);
  return {{"latency_ms", 1e-3 * p.us},
          {"low_ms", 1e-3 * p.low_us},
          {"high_ms", 1e-3 * p.high_us},
          {"extrapolated", p.extrapolated},
          {"source", table.fits().empty() ? "static estimate" : table.platform().cpu}};
}

}  // namespace

void add_predict(CLI::App& app, int& /*exit_code*/) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb =
      app.add_subcommand("predict", "The latency of a model by its kernels' latency models.");
  verb->add_option("model", args->model, "ONNX file.")->required();
  verb->add_option("--dim", args->dims, "NAME=N: the size of a symbolic dimension.");
  verb->add_option("--target", args->table.target, "Device; host is this machine.")
      ->capture_default_str();
  verb->add_option("--table", args->table.file,
                   "File of a latency table; the one that serves this machine if not given.");
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
