#include "cli/config.h"

#include <set>

#include "core/config_file.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

// What `own` does not say comes from `base`.
json inherited(const json& base, const json& own) {
  if (!own.is_object()) return own;
  json merged = base;
  merged.update(own);
  return merged;
}

void inherit(json& holder, const json& base) {
  if (!holder.is_object()) return;
  holder["training"] = holder.contains("training") ? inherited(base, holder["training"]) : base;
}

// Every place where a stage trains gets what the whole run says.
json with_inheritance(json config) {
  if (!config.is_object() || !config.contains("stages") || !config["stages"].is_array())
    return config;
  const json base = config.contains("training") && config["training"].is_object()
                        ? config["training"]
                        : json::object();
  for (json& stage : config["stages"]) {
    if (!stage.is_object() || !stage.contains("kind")) continue;
    if (stage["kind"] == "train") inherit(stage, base);
    if (stage["kind"] == "prune") {
      inherit(stage, base);
      if (!stage.contains("fine_tune")) stage["fine_tune"] = json::object();
      inherit(stage["fine_tune"], base);
    }
    if (stage["kind"] == "quantize" && stage.contains("qat")) inherit(stage["qat"], base);
  }
  return config;
}

const std::string& distill_from(const Stage& stage) {
  static const std::string none;
  if (const auto* train = std::get_if<TrainStage>(&stage)) return train->distill_from;
  if (const auto* prune = std::get_if<PruneStage>(&stage)) return prune->fine_tune.distill_from;
  if (const auto* quantize = std::get_if<QuantizeStage>(&stage)) return quantize->distill_from;
  return none;
}

}  // namespace

const std::string& name_of(const Stage& stage) {
  return std::visit([](const auto& s) -> const std::string& { return s.name; }, stage);
}

const char* kind_of(const Stage& stage) {
  return std::visit([](const auto& s) { return std::decay_t<decltype(s)>::kKind; }, stage);
}

std::optional<ConfigProblem> RunConfig::problem() const {
  if (stages.empty()) return ConfigProblem{"stages", "expected at least one stage"};
  std::set<std::string> seen = {"model"};  // what the run starts from; it may teach, too
  bool quantized = false;
  std::string masked_by;  // the last stage whose masks later ones keep
  for (const Stage& stage : stages) {
    const std::string& stage_name = name_of(stage);
    if (stage_name.empty() || stage_name.find_first_of("/.") != std::string::npos) {
      return ConfigProblem{"stages",
                           "expected a name without \"/\" and \".\", got \"" + stage_name + "\""};
    }
    const std::string& teacher = distill_from(stage);
    if (!teacher.empty() && seen.count(teacher) == 0) {
      return ConfigProblem{"stages", "stage \"" + stage_name + "\" distills from \"" + teacher +
                                         "\", which is no earlier stage"};
    }
    const auto* prune = std::get_if<PruneStage>(&stage);
    if (prune != nullptr && !prune->fine_tune.rewind_to.empty() &&
        seen.count(prune->fine_tune.rewind_to) == 0) {
      return ConfigProblem{"stages", "stage \"" + stage_name + "\" rewinds to \"" +
                                         prune->fine_tune.rewind_to +
                                         "\", which is no earlier stage"};
    }
    if (stage_name == "model")
      return ConfigProblem{"stages",
                           "\"model\" names the network that a run starts from, not a stage"};
    if (!seen.insert(stage_name).second)
      return ConfigProblem{"stages", "two stages are called \"" + stage_name + "\""};
    if (prune != nullptr && prune->scheme == "channel" && !masked_by.empty())
      return ConfigProblem{
          "stages", "stage \"" + stage_name + "\" removes channels after the masks of stage \"" +
                        masked_by + "\", which speak of all of them; channels come first"};
    if (prune != nullptr && prune->scheme != "channel") masked_by = stage_name;
    if (quantized && std::get_if<CompileStage>(&stage) == nullptr) {
      return ConfigProblem{"stages", "stage \"" + stage_name +
                                         "\" comes after quantization; only a compile stage can"};
    }
    quantized = quantized || std::get_if<QuantizeStage>(&stage) != nullptr;
    if (prune != nullptr && prune->rates.from_requirements && !requirements.latency_ms_max &&
        !requirements.latency_share_max && !requirements.size_bytes_max) {
      return ConfigProblem{
          "requirements",
          "expected latency_ms_max, latency_share_max or size_bytes_max, which the "
          "rates of stage \"" +
              stage_name + "\" are chosen from"};
    }
  }
  return {};
}

LoadedConfig load_config(const std::filesystem::path& file,
                         const std::vector<std::string>& overrides) {
  LoadedConfig loaded;
  loaded.json = load_config_json(file);
  for (const std::string& assignment : overrides) apply_override(loaded.json, assignment);
  loaded.config = read_config<RunConfig>(with_inheritance(loaded.json), file.string());
  loaded.file = file;
  loaded.folder = std::filesystem::absolute(file).parent_path();
  return loaded;
}

}  // namespace xgen::cli
