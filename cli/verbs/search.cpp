#include <filesystem>

#include "cli/latency_reports.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "codegen/targets.h"
#include "core/config_file.h"
#include "search/candidate_cost.h"
#include "search/config.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

struct Arguments {
  std::string config;
  int samples = 10;
  bool json = false;
};

search::SearchConfig load(const std::string& file) {
  search::SearchConfig config;
  ConfigReader(load_config_json(file), file).read(config);
  return config;
}

json sample(const search::SearchConfig& config, int count, const std::string& folder) {
  TableChoice choice{config.target, ""};
  if (!config.latency_table.empty())
    choice.file = (std::filesystem::path(folder) / config.latency_table).string();
  const Target target = find_target(config.target);
  const latency::LatencyTable table = load_table(choice);
  const auto& macro = std::get<search::MacroSpace>(config.space);
  const search::Space space = macro.space();
  json samples = json::array();
  for (int i = 0; i < count; ++i) {
    RandomStream random = Random(config.seed).stream("sample", i);
    const search::Point point = space.sample(random);
    const search::CandidateCost cost =
        search::cost_of(macro.network(point, std::nullopt), target, table);
    json choices = json::array();
    for (std::size_t k = 0; k < point.size(); ++k)
      choices.push_back(space.parameters[k].choices[static_cast<std::size_t>(point[k])]);
    samples.push_back({{"choices", choices},
                       {"latency_ms", 1e-3 * cost.latency.us},
                       {"low_ms", 1e-3 * cost.latency.low_us},
                       {"high_ms", 1e-3 * cost.latency.high_us},
                       {"macs", cost.macs},
                       {"parameters", cost.parameters},
                       {"size_bytes", cost.size_bytes},
                       {"peak_bytes", cost.peak_bytes}});
  }
  json names = json::array();
  for (const search::Parameter& p : space.parameters) names.push_back(p.name);
  return {{"name", config.name},
          {"parameters", names},
          {"candidates", space.size()},
          {"samples", samples}};
}

std::string sample_text(const json& result) {
  Table table(
      {"<candidate", "latency, ms", "from", "to", "MACs", "parameters", "size", "peak memory"});
  for (const json& s : result["samples"]) {
    std::string choices;
    for (const json& choice : s["choices"])
      choices += (choices.empty() ? "" : " ") + choice.get<std::string>();
    table.add({choices, fixed_text(s["latency_ms"], 4), fixed_text(s["low_ms"], 4),
               fixed_text(s["high_ms"], 4), grouped(s["macs"].get<long long>()),
               grouped(s["parameters"].get<long long>()), bytes_text(s["size_bytes"]),
               bytes_text(s["peak_bytes"])});
  }
  return str(grouped(result["candidates"].get<long long>()), " candidates\n", table.text());
}

}  // namespace

void add_search(CLI::App& app, int& /*exit_code*/) {
  CLI::App* verb = app.add_subcommand("search", "Looks for networks for a device.");
  verb->require_subcommand(1);
  auto args = std::make_shared<Arguments>();
  CLI::App* space = verb->add_subcommand(
      "space", "Candidates drawn from a config's space, and what each of them costs.");
  space->add_option("config", args->config, "JSON file of a search.")->required();
  space->add_option("--sample", args->samples, "How many.")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  space->add_flag("--json", args->json, "Print one JSON object.");
  space->callback([args] {
    const json result = sample(load(args->config), args->samples,
                               std::filesystem::path(args->config).parent_path().string());
    args->json ? print_json(result) : void(std::cout << sample_text(result));
  });
}

}  // namespace xgen::cli
