#include "cli/inspect.h"

#include "cli/model_file.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "core/error.h"

namespace xgen::cli {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Arguments {
  std::string path;
  std::vector<std::string> dims;
  bool json = false;
};

std::string number_text(const json& number) {
  return number.is_number() && number.get<std::int64_t>() > 0 ? grouped(number.get<std::int64_t>())
                                                              : "";
}

std::string shape_text(const json& shape) {
  std::string text;
  if (!shape.is_array()) return text;
  for (const json& d : shape)
    text += (text.empty() ? "" : ", ") + (d.is_string() ? d.get<std::string>() : d.dump());
  return "[" + text + "]";
}

std::string layers_text(const json& layers, bool bundle) {
  if (bundle) {
    Table table({"<step", "<op", "<kernel", "<scheme", "MACs", "<sizes"});
    for (const json& l : layers)
      table.add({l["name"], l["op"], l["kernel"], l["scheme"], number_text(l["macs"]), l["sizes"]});
    return table.text();
  }
  Table table({"<layer", "<op", "<output", "MACs", "parameters", "not zero", "<scheme"});
  for (const json& l : layers) {
    const bool trained = l["parameters"].get<std::int64_t>() > 0;
    table.add({l["name"], l["op"], shape_text(l["shape"]), number_text(l["macs"]),
               number_text(l["parameters"]), trained ? grouped(l["nonzero"]) : "",
               trained ? l["scheme"].get<std::string>() : ""});
  }
  return table.text();
}

std::string text_of(const json& r) {
  std::string text = layers_text(r["layers"], r["kind"] == "bundle") + "\n";
  const auto macs = r["macs"].get<std::int64_t>(), dense = r["dense_macs"].get<std::int64_t>();
  Table sums({"<" + r.value("name", r["path"].get<std::string>()), "<"});
  sums.add({"multiply-adds",
            grouped(macs) + (macs >= dense ? "" : " of " + grouped(dense) + " without pruning")});
  if (r["parameters"].get<std::int64_t>() > 0) {
    sums.add({"parameters", grouped(r["parameters"].get<std::int64_t>())});
    sums.add({"not zero", grouped(r["nonzero"].get<std::int64_t>())});
  }
  sums.add({"peak memory", r["peak_bytes"].is_null()
                               ? "unknown: it does not compile"
                               : bytes_text(r["peak_bytes"].get<double>()) + ", weights included"});
  const std::string why = r["trainable_reason"];
  sums.add({"can be trained", r["trainable"].get<bool>() ? "yes" : "no: " + why});
  text += sums.text();
  if (r["unsupported"].empty()) return text;
  text += "\nNot supported:\n";
  for (const json& u : r["unsupported"]) {
    const std::string op = u["op"], node = u["node"], reason = u["reason"];
    text += "  " +
            (op.empty() || reason.find(node) != std::string::npos
                 ? reason
                 : op + " \"" + node + "\": " + reason) +
            "\n";
  }
  return text;
}

json inspect(const Arguments& args) {
  const fs::path path = args.path;
  // A run is inspected as its model, which says more than its bundle does.
  if (!fs::exists(path / "model.c") && fs::exists(path / "model.onnx"))
    return inspect_onnx(path / "model.onnx", parse_dims(args.dims));
  const ModelPath found = find_model(path);
  if (found.kind == ModelKind::onnx) return inspect_onnx(found.path, parse_dims(args.dims));
  if (!args.dims.empty())
    throw UserError(str(args.path, ": --dim is for ONNX files; the sizes of a bundle are fixed"));
  return inspect_bundle(found.path);
}

}  // namespace

void add_inspect(CLI::App& app, int& /*exit_code*/) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand(
      "inspect",
      "Layers, shapes, multiply-adds, parameters, sparsity, memory, and what is not supported.");
  verb->add_option("model", args->path, "ONNX file, bundle, or folder of a run.")->required();
  verb->add_option("--dim", args->dims, "NAME=N: the size of a symbolic dimension.");
  verb->add_flag("--json", args->json, "Print one JSON object.");
  verb->callback([args] {
    const json result = inspect(*args);
    if (args->json)
      print_json(result);
    else
      std::cout << text_of(result);
  });
}

}  // namespace xgen::cli
