#include "cli/table.h"
#include "cli/verb.h"
#include "codegen/targets.h"
#include "core/cpu_name.h"
#include "core/onnx/import.h"
#ifdef XGEN_WITH_TORCH
#include "train/zoo/zoo.h"
#endif

namespace xgen::cli {

namespace {

using nlohmann::json;

// A verb without arguments which prints a list, made by `list` as JSON and by `text` from that.
void add_list(CLI::App& app, const std::string& name, const std::string& help, json (*list)(),
              std::string (*text)(const json&)) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_flag("--json", *as_json, "Print one JSON object.");
  verb->callback([as_json, list, text] {
    const json result = list();
    if (*as_json)
      print_json(result);
    else
      std::cout << text(result);
  });
}

json list_targets() {
  json targets = json::array();
  for (const std::string& name : target_names()) {
    const Target target = find_target(name);
    json sparsity = json::array();
    for (const ServedSparsity& s : target.sparsity) {
      sparsity.push_back({{"scheme", s.scheme},
                          {"type", s.type},
                          {"group_out", s.group_out},
                          {"lane_channels", s.lane_channels},
                          {"efficiency", s.efficiency},
                          {"break_even", s.break_even}});
    }
    targets.push_back({{"name", name},
                       {"arch", target.arch},
                       {"kernels", target.kernels},
                       {"runs_here", runs_here(target)},
                       {"sparsity", sparsity}});
  }
  json here = json::array();
  for (const kernels::Isa* isa : kernels::host_isas()) here.push_back(isa->name);
  return {{"targets", targets}, {"kernels_here", here}, {"cpu", cpu_name()}};
}

std::string joined(const json& words) {
  std::string text;
  for (const json& word : words) text += (text.empty() ? "" : ", ") + word.get<std::string>();
  return text;
}

std::string targets_text(const json& result) {
  Table table({"<target", "<architecture", "<runs here", "<kernels"});
  for (const json& t : result["targets"])
    table.add(
        {t["name"], t["arch"], t["runs_here"].get<bool>() ? "yes" : "no", joined(t["kernels"])});
  return table.text() + "\nThis machine: " + result["cpu"].get<std::string>() +
         "; kernels that it runs: " + joined(result["kernels_here"]) +
         ".\nA target may also be a JSON file of your own.\n";
}

json list_ops() {
  return {{"ops", supported_onnx_operators()},
          {"opset_min", kLowestOpset},
          {"opset_max", kHighestOpset}};
}

std::string ops_text(const json& result) {
  std::string text = "ONNX operators, opsets " + std::to_string(kLowestOpset) + " to " +
                     std::to_string(kHighestOpset) + ":\n";
  for (const json& op : result["ops"]) text += "  " + op.get<std::string>() + "\n";
  return text;
}

#ifdef XGEN_WITH_TORCH
json list_zoo() {
  json models = json::array();
  for (const train::ZooEntry& m : train::zoo()) {
    models.push_back({{"name", m.name},
                      {"input", {m.channels, m.height, m.width}},
                      {"classes", m.classes},
                      {"description", m.description}});
  }
  return {{"zoo", models}};
}

std::string zoo_text(const json& result) {
  Table table({"<model", "input", "classes", "<"});
  for (const json& m : result["zoo"]) {
    const json& x = m["input"];
    table.add({m["name"],
               std::to_string(x[0].get<int>()) + "x" + std::to_string(x[1].get<int>()) + "x" +
                   std::to_string(x[2].get<int>()),
               std::to_string(m["classes"].get<int>()), m["description"]});
  }
  return table.text();
}
#endif

}  // namespace

void add_lists(CLI::App& app, int& /*exit_code*/) {
  add_list(app, "targets", "The devices that models can be compiled for.", list_targets,
           targets_text);
  add_list(app, "ops", "The ONNX operators that are read.", list_ops, ops_text);
#ifdef XGEN_WITH_TORCH
  add_list(app, "zoo", "The networks that a config can start from.", list_zoo, zoo_text);
#endif
}

}  // namespace xgen::cli
