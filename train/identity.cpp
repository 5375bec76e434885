#include "train/identity.h"

#include <torch/version.h>

#include "core/cpu_name.h"
#include "core/error.h"

namespace xgen::train {

nlohmann::json TrainingIdentity::to_json() const {
  return {{"model_hash", model_hash},
          {"data_hash", data_hash},
          {"config", config},
          {"environment", environment}};
}

nlohmann::json training_environment(const GraphModule& module, int threads) {
  return {{"libtorch", TORCH_VERSION},
          {"cpu", cpu_name()},
          {"threads", threads},
          {"device", module.device().str()}};
}

std::vector<std::string> check_identity(const std::filesystem::path& path,
                                        const nlohmann::json& saved,
                                        const TrainingIdentity& current) {
  const auto refuse = [&](const std::string& why) {
    throw UserError(str(path.string(), ": cannot be resumed: ", why,
                        "; restore what it was, or start again without --resume"));
  };
  nlohmann::json before = write_config(TrainingConfig{});  // for keys that a later version added
  before.update(saved.at("config"));
  // The difference that a person is likeliest to know of comes first.
  for (const auto& [key, value] : current.config.items()) {
    if (before.at(key) != value)
      refuse(str("\"", key, "\" was ", before.at(key).dump(), ", is ", value.dump()));
  }
  if (saved.at("data_hash") != current.data_hash) refuse("the training data are others");
  if (saved.at("model_hash") != current.model_hash) refuse("it is a checkpoint of another model");
  std::vector<std::string> notes;
  for (const auto& [key, value] : current.environment.items()) {
    const auto& old = saved.at("environment").at(key);
    if (old == value) continue;
    notes.push_back(str("resumed where ", key, " is ", value.dump(), ", was ", old.dump(),
                        ": the weights may differ in the last bits"));
  }
  return notes;
}

}  // namespace xgen::train
