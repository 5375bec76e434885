#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "codegen/compile.h"
#include "codegen/targets.h"
#include "core/onnx/import.h"
#include "tests/cli/run_fixture.h"
#include "tests/support/jpeg.h"
#include "tests/support/stored_weights.h"

/// Whole runs on the optical digits, few epochs, by the program itself.
namespace xgen::cli {
namespace {

using ::testing::HasSubstr;

class Run : public RunFixture {};

TEST_F(Run, LeavesABundleAModelAndAReport) {
  const Outcome outcome = run("a", {"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json printed = json::parse(outcome.out);
  EXPECT_EQ(printed, report("a"));
  for (const char* file : {"config.json", "manifest.json", "measurements.json", "log.jsonl",
                           "model.onnx", "report.html", "bundle/model.c", "bundle/weights.bin",
                           "bundle/selftest.c", "bundle/manifest.json"}) {
    EXPECT_TRUE(fs::exists(folder_ / "a" / file)) << file;
  }
  const json& ship = printed["stages"].back();
  ASSERT_EQ(ship["variants"].size(), 3U);
  EXPECT_GT(ship["variants"][2]["test"]["top1"].get<double>(), 0.9);
  EXPECT_EQ(ship["variants"][2]["test"]["samples"], 500);
  EXPECT_GT(ship["variants"][2]["code_bytes"], 10'000);
  EXPECT_LT(ship["variants"][2]["code_bytes"], 100'000);
  // What is simulated while training is what the kernels compute.
  EXPECT_EQ(printed["stages"][3]["validation"]["top1"], ship["variants"][2]["validation"]["top1"]);
  EXPECT_GE(printed["stages"][2]["conv_macs_divided_by"].get<double>(), 4);
  // A finished run is not overwritten.
  const Outcome again = run("a");
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(
      again.err,
      HasSubstr(
          (folder_ / "a").string() +
          ": holds this run already; go on with --resume, or choose another folder with --output"));
}

TEST_F(Run, MixesSchemesAndKeepsTheirZeros) {
  json& prune = config_["stages"][1];
  prune["rates"] = {{"per_layer", {{"conv2", 3}, {"conv3", 4}, {"fc", 2}}}};
  prune["layers"] = {{{"match", "conv2"}, {"scheme", "block"}},
                     {{"match", "conv3"}, {"scheme", "nm"}},
                     {{"match", "fc"}, {"scheme", "unstructured"}}};
  prune["punched"] = true;
  prune["algorithm"] = {
      {"name", "gradual"}, {"importance", "taylor"}, {"epochs", 2}, {"repair_samples", 200}};
  const Outcome outcome = run_where_masks_pay("a", {"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json printed = json::parse(outcome.out);
  std::map<std::string, json> rows;
  for (const json& row : printed["stages"][2]["layers"]) rows[row["node"]] = row;
  EXPECT_EQ(rows["conv2"]["scheme"], "block");
  EXPECT_EQ(rows["conv3"]["scheme"], "nm");
  EXPECT_NEAR(rows["conv3"]["rate"].get<double>(), 4, 1e-9);
  EXPECT_EQ(rows["fc"]["scheme"], "unstructured");
  EXPECT_THAT(rows["fc"]["reason"].get<std::string>(), HasSubstr("compiled dense"));
  const json& compressed = printed["stages"].back()["variants"][2];
  EXPECT_GT(compressed["test"]["top1"].get<double>(), 0.9);
  EXPECT_LT(3 * compressed["macs"].get<double>(), compressed["dense_macs"].get<double>() * 1.2);
}

// What one stage prunes stays pruned while others prune and train.
TEST_F(Run, KeepsTheZerosOfEarlierStages) {
  json first = config_["stages"][1];
  first["algorithm"] = {{"name", "gradual"}, {"epochs", 1}};
  first["fine_tune"] = {{"epochs", 1}};
  first["rates"] = {{"per_layer", {{"conv2", 4}}}};
  json second = first, third = first;
  second["name"] = "second";
  second["rates"] = {{"per_layer", {{"conv3", 3}}}};
  third["name"] = "third";
  third["rates"] = {{"per_layer", {{"conv3", 6}}}};  // once more, and further
  keep_stages(1);
  for (const json& stage :
       {first, second, third, json{{"name", "more"}, {"kind", "train"}, {"epochs", 1}}})
    config_["stages"].push_back(stage);
  const Outcome outcome = run_where_masks_pay("a");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto zeros = [&](const std::string& stage, const char* weight) {
    const ir::Graph graph = import_onnx(folder_ / "a" / "checkpoints" / (stage + ".onnx"));
    const ir::Value& value = graph.value(graph.find(weight));
    EXPECT_TRUE(value.sparsity) << stage << " " << weight;
    std::vector<bool> zero;
    for (const float w : value.constant->as<float>()) zero.push_back(w == 0);
    return zero;
  };
  const std::vector<bool> conv2 = zeros("prune", "conv2.weight"),
                          conv3 = zeros("third", "conv3.weight");
  EXPECT_GT(100 * std::count(conv2.begin(), conv2.end(), true), 74 * std::ssize(conv2));
  EXPECT_GT(100 * std::count(conv3.begin(), conv3.end(), true), 82 * std::ssize(conv3));
  for (const char* stage : {"second", "third", "more"})
    EXPECT_EQ(zeros(stage, "conv2.weight"), conv2) << stage;
  EXPECT_EQ(zeros("more", "conv3.weight"), conv3);
}

// Channels removed first, then every scheme, then int8: what the masks drop is 0 in the model file,
// which this process reads anew, and in the weights of the bundle, which are those of the file.
TEST_F(Run, CarriesItsZerosFromTheMasksToTheBundle) {
  json& prune = config_["stages"][1];
  prune["rates"] = {{"per_layer", {{"conv2", 3}, {"conv3", 2}, {"fc", 2}}}};
  prune["layers"] = {{{"match", "conv3"}, {"scheme", "nm"}},
                     {{"match", "fc"}, {"scheme", "unstructured"}}};
  prune["algorithm"] = {{"name", "one_shot"}};
  prune["fine_tune"] = {{"epochs", 1}};
  config_["stages"][2]["qat"]["epochs"] = 1;
  const json channels = {{"name", "channels"},
                         {"kind", "prune"},
                         {"scheme", "channel"},
                         {"final_type", "int8"},
                         {"rates", {{"per_layer", {{"conv1", 2}}}}},
                         {"algorithm", {{"name", "one_shot"}}},
                         {"fine_tune", {{"epochs", 1}}}};
  config_["stages"].insert(config_["stages"].begin() + 1, channels);
  const Outcome outcome = run_where_masks_pay("a", {"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;

  const ir::Graph shipped = import_onnx(folder_ / "a" / "model.onnx");
  CompileOptions options;
  options.target = find_target("host");
  const CompiledModel model = compile(shipped, options);
  std::set<std::string> dense;  // those that lost against their dense twins, too
  for (const json& step :
       json::parse(text_of(folder_ / "a" / "bundle" / "manifest.json"))["steps"]) {
    if (step["scheme"] == "dense") dense.insert(step["name"]);
  }
  const Program program = lower_dense(model, &dense);
  const std::string weights = text_of(folder_ / "a" / "bundle" / "weights.bin");
  ASSERT_EQ(
      std::string(reinterpret_cast<const char*>(program.weights.data()), program.weights.size()),
      weights);

  Sha256 masks;
  std::set<std::string> schemes;
  for (const char* node : {"conv2", "conv3", "fc"}) {
    SCOPED_TRACE(node);
    const bool is_conv = node != std::string("fc");
    const std::string name = std::string(node) + ".weight";
    const ir::Value& value =
        shipped.value(shipped.find(name + (is_conv ? ".folded/int8" : "/int8")));
    ASSERT_TRUE(value.sparsity && value.constant);
    schemes.insert(name_of(value.sparsity->scheme));
    const ir::Extents& e = value.constant->shape;
    const auto at = [&](std::size_t i) { return static_cast<int>(e[i]); };
    const WeightShape shape =
        is_conv ? WeightShape{at(0), at(1), at(2), at(3)} : WeightShape{at(0), at(1)};
    const auto kept = expand_mask(*value.sparsity, shape);
    std::vector<std::uint8_t> in_file;
    for (const std::int8_t w : value.constant->as<std::int8_t>()) in_file.push_back(w != 0);
    std::string dropped;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      ASSERT_LE(in_file[i], kept[i]) << "a weight came back at " << i;
      dropped.push_back(kept[i] == 0 ? 1 : 0);
    }
    EXPECT_EQ(test::stored_weights(program, weights, node, shape), in_file);
    masks.update(name + "\n" + ir::to_string(ir::to_shape(e)) + "\n").update(dropped);
  }
  EXPECT_EQ(schemes, (std::set<std::string>{"nm", "pattern", "unstructured"}));
  // The masks are those that were chosen, names and shapes included.
  const json stages = json::parse(outcome.out)["stages"];
  std::string hash;
  for (const json& stage : stages) {
    if (stage["name"] == "prune") hash = stage["mask_sha256"];
  }
  EXPECT_EQ(masks.hex(), hash);
}

TEST_F(Run, MapsSchemesAndRatesToLayersByItself) {
  config_["stages"][1]["scheme"] = "auto";
  config_["stages"][1]["rates"] = {{"conv_macs_divided_by", 3}};
  keep_stages(2);
  const Outcome outcome = run("a", {"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json printed = json::parse(outcome.out), &pruned = printed["stages"].back();
  EXPECT_GE(pruned["conv_macs_divided_by"].get<double>(), 3);
  EXPECT_FALSE(pruned["mapping"].empty());
  EXPECT_GT(pruned["points"].size(), 5U);
  for (const json& row : pruned["layers"]) {
    EXPECT_TRUE(row["status"] == "dense" || row.contains("sensitivity")) << row;
  }
  EXPECT_GT(pruned["validation"]["top1"].get<double>(), 0.8);
  config_["stages"][1]["rates"] = {{"per_layer", {{"conv2", 3}}}};
  const Outcome refused = run("b");
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("scheme \"auto\" chooses the layers' rates itself"));
}

// Fresh weights under a mask classify badly: what they were before they were trained.
TEST_F(Run, RewindsToEarlierWeights) {
  config_["stages"][1]["algorithm"] = {{"name", "one_shot"}};
  config_["stages"][1]["fine_tune"] = {{"epochs", 0}, {"rewind_to", "model"}};
  keep_stages(2);
  const Outcome outcome = run("a", {"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json printed = json::parse(outcome.out), &pruned = printed["stages"].back();
  EXPECT_GT(pruned["validation_before_fine_tuning"]["top1"].get<double>(), 0.3);
  EXPECT_LT(pruned["validation"]["top1"].get<double>(), 0.3);
}

TEST_F(Run, RemovesChannelsThenPrunesWhatIsLeft) {
  const json channels = {{"name", "channels"},
                         {"kind", "prune"},
                         {"scheme", "channel"},
                         {"final_type", "int8"},
                         {"rates", {{"conv_macs_divided_by", 1.5}}},
                         {"algorithm", {{"name", "one_shot"}, {"importance", "geometric_median"}}},
                         {"fine_tune", {{"epochs", 2}, {"distill_from", "dense"}}}};
  config_["stages"].insert(config_["stages"].begin() + 1, channels);
  config_["stages"][2]["rates"] = {{"conv_macs_divided_by", 1.5}};
  const Outcome outcome = run_where_masks_pay("a", {"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json printed = json::parse(outcome.out);
  const json& thinned = printed["stages"][2];
  EXPECT_GE(thinned["conv_macs_divided_by"].get<double>(), 1.5);
  const json& rows = thinned["layers"];
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [](const json& row) {
    return row["scheme"] == "channel" && row["kept_macs"] < row["macs"];
  }));
  const json& variants = printed["stages"].back()["variants"];
  EXPECT_GT(variants[2]["test"]["top1"].get<double>(), 0.9);
  EXPECT_GT(variants[0]["macs"].get<double>(), 2.2 * variants[2]["macs"].get<double>());
  config_["stages"][1]["algorithm"] = {{"name", "admm"}};
  const Outcome refused = run("b");
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("stage \"channels\": scheme \"channel\" removes channels at "
                                     "once: expected algorithm \"one_shot\", got \"admm\""));
}

TEST_F(Run, RepairsTheLayersThatHaveLostChannels) {
  config_["stages"][1] = {{"name", "channels"},
                          {"kind", "prune"},
                          {"scheme", "channel"},
                          {"rates", {{"conv_macs_divided_by", 3}}},
                          {"algorithm", {{"name", "one_shot"}}},
                          {"fine_tune", {{"epochs", 0}}}};
  keep_stages(2);
  const auto loss_after = [&](int repair_samples, const char* folder) {
    config_["stages"][1]["algorithm"]["repair_samples"] = repair_samples;
    const Outcome outcome = run_where_masks_pay(folder, {"--json"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out)["stages"].back()["validation"]["loss"].get<double>();
  };
  EXPECT_LT(loss_after(200, "repaired"), 0.7 * loss_after(0, "cut"));
}

TEST_F(Run, EvaluatesTheRunItsBundleAndItsModelAlike) {
  ASSERT_EQ(run("a").code, 0);
  const json want = report("a")["stages"].back()["variants"][2]["test"];
  const auto evaluate = [&](const std::string& model, const std::vector<std::string>& more = {}) {
    std::vector<std::string> command{XGEN_TRAIN, "-q",
                                     "evaluate", (folder_ / model).string(),
                                     "--config", (folder_ / "config.json").string(),
                                     "--json"};
    command.insert(command.end(), more.begin(), more.end());
    const Outcome outcome = Process(command, folder_ / "streams").wait();
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out);
  };
  for (const char* model : {"a", "a/bundle", "a/model.onnx"}) {
    for (const char* kernels : {"", "scalar"}) {
      const json got =
          evaluate(model, kernels[0] == '\0' ? std::vector<std::string>{}
                                             : std::vector<std::string>{"--kernels", kernels});
      EXPECT_EQ(got["top1"], want["top1"]) << model << " " << kernels;
      EXPECT_EQ(got["top5"], want["top5"]) << model << " " << kernels;
      EXPECT_EQ(got["samples"], 500);
    }
  }
  EXPECT_EQ(evaluate("a", {"--limit", "10"})["samples"], 10);
}

TEST_F(Run, StopsAtNaNAndKeepsTheLastGoodState) {
  keep_stages(1);
  config_["training"]["lr"] = 900;
  config_["training"]["clip_norm"] = 0;
  config_["training"]["warm_up_steps"] = 0;
  config_["stages"][0]["epochs"] = 40;
  const Outcome outcome = run("a");
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("step "));
  EXPECT_FALSE(fs::exists(folder_ / "a" / "checkpoints" / "dense.json"));
}

TEST_F(Run, PrunesForAForeignTargetByPredictionsAndSaysSo) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "aarch64 is this machine";
#endif
  config_["target"] = "aarch64";
  config_["requirements"] = {{"latency_ms_max", 100}};
  const Outcome outcome = run("a");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(
      outcome.err,
      HasSubstr("target \"aarch64\" is for aarch64: its kernels do not run on this machine. "
                "Times are estimated from the description of aarch64"));
  EXPECT_TRUE(fs::exists(folder_ / "a" / "bundle" / "kernels_arm_neon_dot.c"));
  const json ship = report("a").at("stages").back();
  EXPECT_EQ(ship.at("variants").size(), 3);
  for (const json& variant : ship.at("variants")) {
    EXPECT_LT(variant.at("low_ms"), variant.at("latency_ms"));
    EXPECT_GT(variant.at("high_ms"), variant.at("latency_ms"));
    EXPECT_GT(variant.at("test").at("top1"), 0.3);
  }
  EXPECT_TRUE(ship.at("requirements").at(0).at("met"));
}

TEST_F(Run, WithoutACCompilerStopsBeforeAnythingIsTrained) {
  const Outcome outcome = run("a", {}, {"CC=/nonexistent"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("/nonexistent"));
  EXPECT_FALSE(fs::exists(folder_ / "a")) << outcome.err;
}

TEST_F(Run, StopsAtABrokenImageOrTrainsWithoutIt) {
  for (const char* set : {"train", "test"}) {
    for (const char* name : {"dark", "light"}) {
      fs::create_directories(folder_ / "images" / set / name);
      for (int i = 0; i < 20; ++i) {
        const auto grey = static_cast<std::uint8_t>(i + (name[0] == 'd' ? 20 : 180));
        std::ofstream(folder_ / "images" / set / name / (std::to_string(i) + ".jpg"))
            << test::jpeg(8, 8, grey);
      }
    }
  }
  const fs::path broken = folder_ / "images" / "train" / "light" / "7.jpg";
  fs::resize_file(broken, fs::file_size(broken) - 3);
  config_["data"] = {{"format", "image_folder"},
                     {"path", (folder_ / "images").string()},
                     {"train", "train"},
                     {"test", "test"},
                     {"channels", 1}};
  config_["training"]["batch_size"] = 8;
  keep_stages(1);
  const Outcome stopped = run("a");
  EXPECT_EQ(stopped.code, 2);
  EXPECT_EQ(stopped.err.substr(stopped.err.find(broken.string())),
            broken.string() +
                ": the image is broken: Premature end of JPEG file; \"on_broken_image\": \"skip\" "
                "leaves it out\n");
  EXPECT_FALSE(fs::exists(folder_ / "a"));

  config_["data"]["on_broken_image"] = "skip";
  const Outcome skipped = run("a");
  ASSERT_EQ(skipped.code, 0) << skipped.err;
  EXPECT_THAT(skipped.err, HasSubstr(broken.string() + ": the image is broken: Premature end"));
}

TEST_F(Run, DryRunPrintsThePlanAndLeavesNothing) {
  const Outcome outcome = run("a", {"--dry-run", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json plan = json::parse(outcome.out);
  EXPECT_EQ(plan["stages"].size(), 4U);
  EXPECT_GT(plan["seconds"].get<double>(), 0);
  EXPECT_FALSE(fs::exists(folder_ / "a"));
  EXPECT_FALSE(plan.contains("forecast"));
}

TEST_F(Run, NamesDataThatAreMissing) {
  config_["data"]["path"] = "nowhere.csv";
  const Outcome outcome = run("a");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("nowhere.csv"));
}

}  // namespace
}  // namespace xgen::cli
