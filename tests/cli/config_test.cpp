#include "cli/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "cli/config_reference.h"

namespace xgen::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kSource = XGEN_SOURCE_DIR;

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A run with all four kinds of stages, which each test changes in one place.
json example() {
  return json::parse(R"({
    "version": 1, "name": "a",
    "model": {"zoo": "digits_cnn"},
    "data": {"format": "image_folder", "path": "images"},
    "training": {"lr": 0.05, "batch_size": 32},
    "stages": [
      {"name": "dense", "kind": "train", "epochs": 5},
      {"name": "prune", "kind": "prune", "rates": {"conv_macs_divided_by": 4},
       "fine_tune": {"epochs": 2, "training": {"lr": 0.01}, "distill_from": "dense"}},
      {"name": "int8", "kind": "quantize", "qat": {"epochs": 1}},
      {"name": "ship", "kind": "compile"}
    ]})");
}

class RunConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("xgen_config_test_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  LoadedConfig load(const json& config, const std::vector<std::string>& overrides = {}) {
    std::ofstream(folder_ / "a.json") << config.dump();
    return load_config(folder_ / "a.json", overrides);
  }
  /// The message without the folder.
  std::string rejection(const json& config, const std::vector<std::string>& overrides = {}) {
    try {
      load(config, overrides);
    } catch (const UserError& error) {
      std::string message = error.what();
      const std::string place = folder_.string() + "/";
      if (message.rfind(place, 0) == 0) message = message.substr(place.size());
      return message;
    }
    return "accepted";
  }
  std::string rejection_with(const std::string& pointer, const json& value) {
    json config = example();
    config[json::json_pointer(pointer)] = value;
    return rejection(config);
  }

  fs::path folder_;
};

TEST_F(RunConfigTest, LetsStagesInheritTheTrainingOfTheRun) {
  const RunConfig config = load(example()).config;
  EXPECT_EQ(std::get<TrainStage>(config.stages[0]).training.lr, 0.05);
  const auto& prune = std::get<PruneStage>(config.stages[1]);
  EXPECT_EQ(prune.training.lr, 0.05);
  EXPECT_EQ(prune.fine_tune.training.lr, 0.01);
  EXPECT_EQ(prune.fine_tune.training.batch_size, 32);
  EXPECT_EQ(std::get<QuantizeStage>(config.stages[2]).qat->training->batch_size, 32);
}

TEST_F(RunConfigTest, AppliesOverridesByStageName) {
  const RunConfig config =
      load(example(), {"stages.prune.fine_tune.epochs=7", "training.lr=0.5"}).config;
  EXPECT_EQ(std::get<PruneStage>(config.stages[1]).fine_tune.epochs, 7);
  EXPECT_EQ(std::get<TrainStage>(config.stages[0]).training.lr, 0.5);
  EXPECT_EQ(std::get<PruneStage>(config.stages[1]).fine_tune.training.lr, 0.01);
  EXPECT_EQ(
      rejection(example(), {"stages.prun.epochs=7"}),
      R"(--set stages.prun.epochs=7: /stages has 4 elements and none is called "prun"; did you mean "prune"?)");
}

TEST_F(RunConfigTest, WritesItselfSuchThatItReadsTheSame) {
  const auto written = write_config(load(example()).config);
  EXPECT_EQ(write_config(load(written).config), written);
}

TEST_F(RunConfigTest, RejectsUnknownKeysWithASuggestion) {
  EXPECT_EQ(rejection_with("/stages/0/epoch", 3),
            R"(a.json: /stages/0/epoch: unknown key; did you mean "epochs"?)");
  EXPECT_EQ(rejection_with("/data/augment", {{"flipp", true}}),
            R"(a.json: /data/augment/flipp: unknown key; did you mean "flip"?)");
  EXPECT_EQ(rejection_with("/modle", {}), R"(a.json: /modle: unknown key; did you mean "model"?)");
}

TEST_F(RunConfigTest, RejectsWrongTypes) {
  EXPECT_EQ(rejection_with("/training/lr", "0.1"),
            R"(a.json: /training/lr: expected a number in [0, 1000], got "0.1")");
  EXPECT_EQ(rejection_with("/stages", "train"),
            R"(a.json: /stages: expected an array, got "train")");
  EXPECT_EQ(rejection_with("/stages/0", 5), "a.json: /stages/0: expected an object, got 5");
  EXPECT_EQ(rejection_with("/data", json::array()),
            "a.json: /data: expected an object, got an array");
}

TEST_F(RunConfigTest, RejectsValuesOutOfRange) {
  EXPECT_EQ(rejection_with("/data/validation_share", 1.5),
            "a.json: /data/validation_share: expected a number in [0, 0.9], got 1.5");
  EXPECT_EQ(rejection_with("/stages/0/epochs", 0),
            "a.json: /stages/0/epochs: expected an integer in [1, 100000], got 0");
  EXPECT_EQ(rejection_with("/version", 2),
            "a.json: /version: expected an integer in [1, 1], got 2");
  EXPECT_EQ(
      rejection_with("/stages/1/scheme", "patern"),
      R"(a.json: /stages/1/scheme: expected one of "pattern", "block", "nm", "channel", "unstructured", "auto", got "patern"; did you mean "pattern"?)");
  EXPECT_EQ(
      rejection_with("/stages/0/kind", "trian"),
      R"(a.json: /stages/0/kind: expected one of "train", "prune", "quantize", "compile", got "trian"; did you mean "train"?)");
}

TEST_F(RunConfigTest, WantsExactlyOneOfRatesAndOfModels) {
  const std::string rates =
      R"(a.json: /stages/1/rates: expected exactly one of "conv_macs_divided_by", "per_layer", "from_requirements")";
  EXPECT_EQ(rejection_with("/stages/1/rates/per_layer", {{"conv2", 4}}), rates);
  EXPECT_EQ(rejection_with("/stages/1/rates", json::object()), rates);
  EXPECT_EQ(rejection_with("/model/onnx", "a.onnx"),
            R"(a.json: /model: expected exactly one of "onnx", "zoo")");
}

TEST_F(RunConfigTest, ChecksStagesAgainstEachOther) {
  EXPECT_EQ(rejection_with("/stages/1/fine_tune/distill_from", "dens"),
            R"(a.json: /stages: stage "prune" distills from "dens", which is no earlier stage)");
  EXPECT_EQ(rejection_with("/stages/0/distill_from", "prune"),
            R"(a.json: /stages: stage "dense" distills from "prune", which is no earlier stage)");
  EXPECT_EQ(rejection_with("/stages/1/fine_tune/rewind_to", "dens"),
            R"(a.json: /stages: stage "prune" rewinds to "dens", which is no earlier stage)");
  EXPECT_EQ(rejection_with("/stages/1/name", "dense"),
            R"(a.json: /stages: two stages are called "dense")");
  EXPECT_EQ(rejection_with("/stages/0/name", "model"),
            R"(a.json: /stages: "model" names the network that a run starts from, not a stage)");
  EXPECT_EQ(rejection_with("/stages/0/distill_from", "model"), "accepted");
  EXPECT_EQ(rejection_with("/stages/0/name", "a/b"),
            R"(a.json: /stages: expected a name without "/" and ".", got "a/b")");
  EXPECT_EQ(rejection_with("/stages", json::array()),
            "a.json: /stages: expected at least one stage");
  json late = example();
  late["stages"].push_back({{"name", "more"}, {"kind", "train"}});
  EXPECT_EQ(rejection(late),
            R"(a.json: /stages: stage "more" comes after quantization; only a compile stage can)");
  EXPECT_EQ(
      rejection_with("/stages/1/rates", {{"from_requirements", true}}),
      R"(a.json: /requirements: expected latency_ms_max, latency_share_max or size_bytes_max, which the rates of stage "prune" are chosen from)");
}

TEST_F(RunConfigTest, RejectsRequirementsThatNothingMeets) {
  EXPECT_EQ(rejection_with("/requirements", {{"latency_ms_max", 0}}),
            "a.json: /requirements/latency_ms_max: expected a number in [1e-06, 1e+09], got 0");
  EXPECT_EQ(rejection_with("/requirements", {{"size_bytes_max", -5}}),
            "a.json: /requirements/size_bytes_max: expected a number in [1, 1e+15], got -5");
  EXPECT_EQ(rejection_with("/requirements", {{"peak_ram_bytes_max", 0}}),
            "a.json: /requirements/peak_ram_bytes_max: expected a number in [1, 1e+15], got 0");
  EXPECT_EQ(rejection_with("/requirements", {{"accuracy_drop_max", -0.5}}),
            "a.json: /requirements/accuracy_drop_max: expected a number in [0, 100], got -0.5");
  EXPECT_EQ(rejection_with("/requirements", {{"latency_ms_max", "4 ms"}}),
            "a.json: /requirements/latency_ms_max: expected a number in [1e-06, 1e+09], got \"4 "
            "ms\"");
}

TEST_F(RunConfigTest, RejectsChannelsAfterMasks) {
  json config = example();
  json channels = config["stages"][1];
  channels["name"] = "thin";
  channels["scheme"] = "channel";
  config["stages"].insert(config["stages"].begin() + 2, channels);
  EXPECT_EQ(
      rejection(config),
      R"(a.json: /stages: stage "thin" removes channels after the masks of stage "prune", which speak of all of them; channels come first)");
  std::swap(config["stages"][1], config["stages"][2]);
  EXPECT_EQ(rejection(config), "accepted");
}

TEST_F(RunConfigTest, NamesWhatIsMissing) {
  for (const char* key : {"version", "name", "model", "data", "stages"}) {
    json config = example();
    config.erase(key);
    EXPECT_EQ(rejection(config), std::string("a.json: /") + key + ": required key is missing");
  }
  json config = example();
  config["stages"][1].erase("rates");
  EXPECT_EQ(rejection(config), "a.json: /stages/1/rates: required key is missing");
}

TEST(CommittedConfigs, AreAllAccepted) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(kSource / "configs")) {
    if (entry.path().extension() != ".json") continue;
    const LoadedConfig loaded = load_config(entry.path(), {});
    EXPECT_EQ(loaded.config.name, entry.path().stem());
    EXPECT_EQ(loaded.json.value("$schema", ""), "schema/run.schema.json") << entry.path();
    ++count;
  }
  EXPECT_GE(count, 4);
}

TEST(ConfigReference, CommittedSchemaIsCurrent) {
  EXPECT_EQ(content(kSource / "configs/schema/run.schema.json"), config_schema_text())
      << "write it again: xgen-train schema > configs/schema/run.schema.json";
}

TEST(ConfigReference, CommittedPageIsCurrent) {
  EXPECT_EQ(content(kSource / "docs/config.md"), config_page())
      << "write it again: xgen-train schema --markdown > docs/config.md";
}

}  // namespace
}  // namespace xgen::cli
