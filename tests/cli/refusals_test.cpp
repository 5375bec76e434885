#include <gmock/gmock.h>

#include "tests/cli/run_fixture.h"

/// Configs that their network, their data or their measurements do not fit: refused before anything
/// is trained, with the place, and with a folder that the corrected run can have.
namespace xgen::cli {
namespace {

using ::testing::HasSubstr;

class Refusals : public RunFixture {
 protected:
  // The message of a run that is refused, from "xgen-train: " on; "F" is the config, "D" the folder
  // of the test.
  std::string refusal(const std::vector<std::string>& more = {}, int code = 2) {
    const Outcome outcome = run("a", more);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(outcome.err.find("dense 1/"), std::string::npos) << "trained: " << outcome.err;
    const std::string start = "xgen-train: ";
    std::string text =
        outcome.err.substr(std::min(outcome.err.size(), outcome.err.rfind(start) + start.size()));
    const auto write = [&](const std::string& path, const std::string& letter) {
      for (std::size_t at = 0; (at = text.find(path)) != std::string::npos;)
        text.replace(at, path.size(), letter);
    };
    write((folder_ / "config.json").string(), "F");
    write(folder_.string(), "D");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }
  // The same of a run whose prune stage has this instead of its own.
  std::string refusal_with(const json& changes) {
    const json before = config_;
    for (const auto& [key, value] : changes.items()) config_["stages"][1][key] = value;
    const std::string text = refusal();
    EXPECT_FALSE(fs::exists(folder_ / "a")) << text;
    config_ = before;
    return text;
  }
};

TEST_F(Refusals, SchemesThatALayerCannotHave) {
  EXPECT_EQ(refusal_with({{"layers", {{{"match", "fc"}, {"scheme", "pattern"}}}}}),
            "F: /stages/1: layers/0: \"fc\" cannot have scheme \"pattern\": patterns are of 3x3 "
            "kernels, and its kernel is 1x1; it can have block, nm, unstructured");
  EXPECT_EQ(
      refusal_with({{"layers", {{{"match", "conv1"}, {"scheme", "nm"}}}}}),
      "F: /stages/1: layers/0: \"conv1\" cannot have scheme \"nm\": it stays dense: its 1 input "
      "channel is less than one lane of int8");
  EXPECT_EQ(refusal_with({{"layers", {{{"match", "conv9"}, {"scheme", "nm"}}}}}),
            "F: /stages/1: layers/0: \"conv9\" matches no layer with weights; did you mean "
            "\"conv1\"?");
}

TEST_F(Refusals, RatesThatLeaveALayerEmpty) {
  EXPECT_THAT(refusal_with({{"rates", {{"per_layer", {{"conv2", 500}}}}}}),
              HasSubstr("F: /stages/1: rates/per_layer: \"conv2\": expected at most "));
  EXPECT_THAT(refusal_with({{"rates", {{"conv_macs_divided_by", 500}}}}),
              HasSubstr("F: /stages/1: rates/conv_macs_divided_by: expected at most "));
  const json channels = {{"scheme", "channel"},
                         {"algorithm", {{"name", "one_shot"}}},
                         {"rates", {{"per_layer", {{"conv2", 500}}}}}};
  EXPECT_EQ(refusal_with(channels),
            "F: /stages/1: rates/per_layer: \"conv2\": expected at most 8.00, got 500; of its 32 "
            "channels 4 must stay");
}

TEST_F(Refusals, BoundsThatContradictEachOther) {
  EXPECT_EQ(refusal_with({{"exclude", {"conv2"}}, {"rates", {{"per_layer", {{"conv2", 2}}}}}}),
            "F: /stages/1: rates/per_layer: \"conv2\" cannot be pruned: excluded by \"conv2\"");
  EXPECT_EQ(
      refusal_with({{"exclude", {"conv2"}}, {"layers", {{{"match", "conv2"}, {"scheme", "nm"}}}}}),
      "F: /stages/1: layers/0: \"conv2\" cannot have scheme \"nm\": it stays dense: excluded by "
      "\"conv2\"");
  EXPECT_EQ(
      refusal_with({{"rates", {{"per_layer", {{"conv2", 2}, {"conv2.weight", 3}}}}}}),
      "F: /stages/1: rates/per_layer: \"conv2\" and \"conv2.weight\" contradict each other: 2 "
      "and 3 for \"conv2\"");
  EXPECT_EQ(refusal_with({{"scheme", "channel"},
                          {"algorithm", {{"name", "one_shot"}}},
                          {"exclude", {"conv2"}},
                          {"rates", {{"per_layer", {{"conv2", 2}}}}}}),
            "F: /stages/1: rates/per_layer: the channels of \"conv2\" cannot be removed: conv2 is "
            "excluded");
  EXPECT_EQ(refusal_with({{"exclude", {"conv9"}}}),
            "F: /stages/1: exclude: \"conv9\" matches no layer with weights; did you mean "
            "\"conv1\"?");
}

TEST_F(Refusals, ChannelsThatAnOperatorTies) {
  EXPECT_EQ(
      refusal_with({{"scheme", "channel"},
                    {"algorithm", {{"name", "one_shot"}}},
                    {"rates", {{"per_layer", {{"fc", 2}}}}}}),
      "F: /stages/1: rates/per_layer: the channels of \"fc\" cannot be removed: \"logits\" is "
      "an output of the model");
}

// Training, calibration and evaluation read the same images.
TEST_F(Refusals, ImagesOfAnotherShape) {
  config_["model"] = {{"zoo", "resnet20"}};
  EXPECT_EQ(
      refusal(),
      "zoo model \"resnet20\": input \"input\": expected [N, 1, 8, 8], as the images are, got "
      "[N, 3, 32, 32]");
  EXPECT_FALSE(fs::exists(folder_ / "a"));
}

TEST_F(Refusals, ImagesThatAFinishedModelDoesNotRead) {
  const std::string model = XGEN_SOURCE_DIR "/configs/models/resnet20_cifar10_dense.onnx";
  command("unused");  // writes the config
  const Outcome outcome =
      Process({XGEN_TRAIN, "-q", "evaluate", model, "--config", (folder_ / "config.json").string()},
              folder_ / "streams")
          .wait();
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err,
              HasSubstr(model + ": the data are images of 1 x 8 x 8, which the model "
                                "does not read: it has 1 input, \"input\" f32 [1, 3, 32, 32]"));
}

TEST_F(Refusals, LatencyTablesOfAnotherTargetOrVersion) {
  json table = {{"format", "xgen latency 4"},
                {"target", "x86_64"},
                {"kernels", "scalar"},
                {"cpu", "a"},
                {"compiler", "cc"},
                {"fits", json::object()},
                {"batches", 1},
                {"reference_us", 1}};
  config_["target"] = "aarch64";
  config_["latency_table"] = "table.json";
  const auto refused = [&] {
    std::ofstream(folder_ / "table.json") << table.dump();
    const std::string text = refusal();
    EXPECT_FALSE(fs::exists(folder_ / "a")) << text;
    return text;
  };
  EXPECT_EQ(refused(), "D/table.json: /target: expected \"aarch64\", got \"x86_64\"");
  table["target"] = "aarch64";
  table["kernels"] = "x86-avx2";
  EXPECT_THAT(refused(), HasSubstr("D/table.json: /kernels: expected one of target \"aarch64\" ("));
  table["format"] = "xgen latency 1";
  EXPECT_EQ(refused(),
            "D/table.json: expected a latency table (\"format\": \"xgen latency 4\"), got \"xgen "
            "latency 1\"; build it again");
}

TEST_F(Refusals, MeasurementsOfAnotherTarget) {
  std::ofstream(folder_ / "times.json")
      << json{{"format", "xgen measurements 1"}, {"target", "z80"}, {"layers_us", json::object()}};
  EXPECT_THAT(refusal({"--measurements", (folder_ / "times.json").string()}),
              HasSubstr("D/times.json: /target: expected \"x86_64\", got \"z80\""));
  EXPECT_FALSE(fs::exists(folder_ / "a"));
}

// No mask saves memory, so it is known before anything is trained.
TEST_F(Refusals, LessMemoryThanTheInputNeeds) {
  config_["requirements"] = {{"peak_ram_bytes_max", 8 * 8}, {"accuracy_drop_max", 100}};
  EXPECT_THAT(refusal({}, 3),
              ::testing::MatchesRegex("peak_ram_bytes_max: wanted at most 64, the network needs "
                                      "[0-9]+; masks save no memory, channels do"));
  EXPECT_EQ(report("a")["requirements"][0]["met"], false);
  EXPECT_EQ(run("b", {"--dry-run"}).code, 3);
}

TEST_F(Refusals, AreSaidByTheDryRunToo) {
  config_["stages"][1]["rates"] = {{"per_layer", {{"conv2", 500}}}};
  EXPECT_THAT(refusal({"--dry-run"}), HasSubstr("rates/per_layer: \"conv2\": expected at most "));
}

// Networks of the zoo have no names of layers to get wrong, and are slow to look at.
TEST(CommittedConfigs, ThatStartFromAFileAreNotRefused) {
  for (const auto& entry : fs::directory_iterator(XGEN_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".json") continue;
    const json config = json::parse(text_of(entry.path()));
    const fs::path data = entry.path().parent_path() / config["data"]["path"];
    if (!config["model"].contains("onnx") || !fs::exists(data)) continue;
    const fs::path folder = fs::temp_directory_path() / ("xgen-dry-" + std::to_string(getpid()));
    const Outcome outcome = Process({XGEN_TRAIN, "run", entry.path().string(), "--dry-run",
                                     "--output", folder.string(), "--set", "device=cpu"},
                                    folder)
                                .wait();
    EXPECT_EQ(outcome.code, 0) << entry.path() << ": " << outcome.err;
    fs::remove_all(folder);
  }
}

}  // namespace
}  // namespace xgen::cli
