#include <gmock/gmock.h>

#include <optional>
#include <sstream>

#include "core/cpu_name.h"
#include "tests/cli/verbs_fixture.h"

/// The compiler's verbs as a person calls them: the built program, its messages and exit codes.
namespace xgen::cli {
namespace {

using test::Mounted;
using ::testing::HasSubstr;

class Verbs : public VerbsFixture {};

TEST_F(Verbs, CompileInferAndBenchAModelAndItsBundle) {
  small_model();
  write_x();
  const Said compiled = run(compile_line() + " --name net --explain --json");
  ASSERT_EQ(compiled.code, 0) << compiled.err;
  const json result = compiled.parsed();
  EXPECT_EQ(result["name"], "net");
  EXPECT_EQ(result["macs"], 4 * 16 * 2 * 9);
  EXPECT_EQ(result["explain"]["passes"].size(), 9U);
  EXPECT_GT(result["measured"]["median_ms"].get<double>(), 0);

  std::vector<ir::Constant> outputs;
  for (const std::string model : {"model.onnx", "b"}) {
    const Said said = run("infer " + path(model) + " --input x=" + path("x.npy") + " --output " +
                          path("out of " + model) + " --json");
    ASSERT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(said.parsed()["outputs"][0]["name"], "out/y");
    outputs.push_back(read_npy(folder_ / ("out of " + model) / "out_y.npy"));
  }
  EXPECT_EQ(outputs[0].shape, (ir::Extents{1, 4, 4, 4}));
  EXPECT_EQ(outputs[0].bytes, outputs[1].bytes);

  const Said bench = run("bench " + path("model.onnx") + " " + path("b") +
                         " --runs 3 --per-layer --kernels scalar --json");
  ASSERT_EQ(bench.code, 0) << bench.err;
  const json timed = bench.parsed();
  EXPECT_EQ(timed["threads"], 1);
  ASSERT_EQ(timed["models"].size(), 2U);
  for (const json& m : timed["models"]) {
    EXPECT_EQ(m["kernels"], "fp32 scalar");
    EXPECT_LE(m["min_ms"].get<double>(), m["median_ms"].get<double>());
    EXPECT_LE(m["median_ms"].get<double>(), m["p95_ms"].get<double>());
    for (const json& layer : m["layers"]) {
      for (const char* key : {"name", "op", "scheme", "ms", "gflops", "ceiling_share"})
        EXPECT_TRUE(layer.contains(key)) << key;
    }
  }
}

TEST_F(Verbs, InspectCountsWhatAModelHolds) {
  small_model(-1);
  const Said said = run("inspect " + path("model.onnx") + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  const json result = said.parsed();
  EXPECT_EQ(result["macs"], 4 * 16 * 2 * 9);
  EXPECT_EQ(result["parameters"], 72);
  EXPECT_EQ(result["nonzero"], 72);
  EXPECT_GT(result["peak_bytes"].get<int>(), 72 * 4);
  EXPECT_EQ(result["unsupported"], json::array());
  EXPECT_EQ(result["trainable"], true);
  ASSERT_EQ(result["layers"].size(), 2U);
  EXPECT_EQ(result["layers"][0]["shape"], json({"N", 4, 4, 4}));
  EXPECT_EQ(run("inspect " + path("model.onnx")).code, 0);
}

TEST_F(Verbs, InspectListsEveryUnsupportedOperator) {
  input("x", {1, 4});
  node("Acos", "first", {"x"}, "a");
  node("Relu", "fine", {"a"}, "b");
  node("Acos", "second", {"b"}, "c");
  node("Tan", "third", {"c"}, "y");
  output("y");
  write(bytes());
  const Said said = run("inspect " + path("model.onnx") + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  std::vector<std::string> nodes;
  const json result = said.parsed();
  for (const json& u : result["unsupported"]) nodes.push_back(u["node"]);
  EXPECT_THAT(nodes, ::testing::ElementsAre("first", "second", "third"));
}

TEST_F(Verbs, InspectListsEveryNodeThatNoKernelServes) {
  input("x", {1, 2, 4, 4});
  input("w", {2, 2, 1, 1});
  node("Conv", "one", {"x", "w"}, "a");
  node("Relu", "fine", {"a"}, "b");
  node("Conv", "two", {"b", "w"}, "y");
  output("y");
  write(bytes());
  const Said said = run("inspect " + path("model.onnx") + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  const json result = said.parsed();
  EXPECT_TRUE(result["peak_bytes"].is_null());
  ASSERT_EQ(result["unsupported"].size(), 2U);
  EXPECT_EQ(result["unsupported"][0]["reason"], "node \"one\" (Conv): the weight must be constant");
  EXPECT_EQ(result["unsupported"][1]["node"], "two");
}

TEST_F(Verbs, ListsAreJsonObjects) {
  const json targets = run("targets --json").parsed();
  EXPECT_EQ(targets["targets"][0]["name"], "host");
  EXPECT_EQ(targets["cpu"], cpu_name());
  const json ops = run("ops --json").parsed();
  EXPECT_THAT(ops["ops"].get<std::vector<std::string>>(), ::testing::Contains("Conv"));
  EXPECT_EQ(ops["opset_max"], 22);
}

// Bad input: exit code 2, the message as a whole, nothing written.

TEST_F(Verbs, AMissingModelIsRefused) {
  EXPECT_EQ(refusal(compile_line()), shown("model.onnx") + ": no such file");
  EXPECT_EQ(refusal("infer " + path("no.onnx") + " -o " + path("out")),
            shown("no.onnx") + ": no such file or folder");
  EXPECT_FALSE(exists("b"));
  EXPECT_FALSE(exists("out"));
}

TEST_F(Verbs, AnEmptyModelIsRefused) {
  write("");
  EXPECT_EQ(refusal(compile_line()), shown("model.onnx") + ": the file is empty");
  EXPECT_FALSE(exists("b"));
}

TEST_F(Verbs, ATruncatedModelIsRefused) {
  small_model();
  const std::size_t half = bytes().size() / 2;
  write(bytes().substr(0, half));
  EXPECT_EQ(refusal(compile_line()), shown("model.onnx") +
                                         ": not an ONNX model, or the file is truncated (" +
                                         std::to_string(half) + " bytes)");
  EXPECT_FALSE(exists("b"));
}

TEST_F(Verbs, AForeignFileIsRefused) {
  write("{\"this\": \"is JSON\"}");
  EXPECT_EQ(refusal(compile_line()),
            shown("model.onnx") + ": not an ONNX model, or the file is truncated (19 bytes)");
  EXPECT_FALSE(exists("b"));
}

TEST_F(Verbs, AMaskOfAnotherModelIsRefused) {
  small_model();
  auto* entry = model_.add_metadata_props();
  entry->set_key("xgen.sparsity");
  entry->set_value(json{{"w",
                         {{"scheme", "block"},
                          {"group_out", 4},
                          {"lane_channels", 1},
                          {"patterns", {511}},
                          {"kept", {0, -1}}}}}
                       .dump());
  write(bytes());
  EXPECT_EQ(refusal(compile_line()),
            shown("model.onnx") +
                ": metadata \"xgen.sparsity\", weight \"w\": expected zeros where the mask drops "
                "weights, got another number at element 9 of [4, 2, 3, 3]; the mask is of another "
                "model, or the weights were trained without it");
  EXPECT_FALSE(exists("b"));
}

TEST_F(Verbs, ExternalDataOutsideTheFolderAreRefused) {
  input("x", {1, 2});
  auto& w = floats("w", {2}, {});
  w.set_data_location(onnx::TensorProto::EXTERNAL);
  auto* location = w.add_external_data();
  location->set_key("location");
  location->set_value("../../etc/passwd");
  node("Add", "add", {"x", "w"}, "y");
  output("y");
  write(bytes());
  EXPECT_EQ(
      refusal(compile_line()),
      shown("model.onnx") +
          ": initializer \"w\": external data \"../../etc/passwd\" lie outside of the model's "
          "folder; move them beside the model");
}

TEST_F(Verbs, ADimensionWithoutASizeIsRefused) {
  input("x", {1, 2, -1, -1});
  node("Relu", "relu", {"x"}, "y");
  output("y");
  write(bytes());
  EXPECT_EQ(refusal(compile_line()),
            shown("model.onnx") +
                ": model \"g\": dimensions without a size: \"x_2\", \"x_3\"; bind "
                "them with --dim NAME=N");
  EXPECT_EQ(refusal(compile_line() + " --dim x_2=4 --dim x_3=4 --dim z=1"),
            shown("model.onnx") + ": model \"g\" has no dimension \"z\"; it has \"x_2\", \"x_3\"");
  EXPECT_EQ(refusal(compile_line() + " --dim x_2=four"),
            "--dim x_2: expected a whole number above 0, got \"four\"");
  EXPECT_EQ(run(compile_line() + " --dim x_2=4 --dim x_3=4 --no-measure").code, 0);
}

TEST_F(Verbs, UnsupportedOperatorsAreAllNamed) {
  input("x", {1, 4});
  node("Tan", "t", {"x"}, "a");
  for (int i = 0; i < 4; ++i)
    node("Acos", "a" + std::to_string(i), {i == 0 ? "a" : "v" + std::to_string(i - 1)},
         "v" + std::to_string(i));
  output("v3");
  write(bytes());
  EXPECT_EQ(refusal(compile_line()), shown("model.onnx") +
                                         ": 2 operators are not supported (opset 13):\n"
                                         "  Acos: node \"a0\", \"a1\", \"a2\" and 1 more\n"
                                         "  Tan: node \"t\"");
}

TEST_F(Verbs, AnOutputFolderWithOtherFilesIsLeftAlone) {
  small_model();
  fs::create_directory(folder_ / "b");
  std::ofstream(folder_ / "b" / "letter.txt") << "dear";
  EXPECT_EQ(refusal(compile_line() + " --no-measure"),
            shown("b") +
                ": expected a new or empty folder, or an earlier bundle, got a folder "
                "with other files");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "b"), {}), 1);
}

TEST_F(Verbs, AFullDiskLeavesNothingHalfWritten) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to mount a small disk";
  const Mounted disk(folder_ / "disk", "size=64k");
  if (!disk.ok()) GTEST_SKIP() << "cannot mount: " << disk.why();
  small_model();
  const std::string message =
      refusal("compile " + path("model.onnx") + " --no-measure -o " + path("disk/b"));
  EXPECT_THAT(message, HasSubstr(shown("disk/.b.new/")));
  EXPECT_THAT(message, HasSubstr("No space left on device"));
  EXPECT_TRUE(fs::is_empty(folder_ / "disk"));
}

TEST_F(Verbs, AReadOnlyFolderIsRefused) {
  small_model();
  std::optional<Mounted> disk;
  std::string reason = "Permission denied";
  if (geteuid() == 0) {
    disk.emplace(folder_ / "disk", "ro");
    if (!disk->ok()) GTEST_SKIP() << "cannot mount: " << disk->why();
    reason = "Read-only file system";
  } else {
    fs::create_directory(folder_ / "disk");
    fs::permissions(folder_ / "disk", fs::perms::owner_read | fs::perms::owner_exec);
  }
  EXPECT_EQ(refusal("compile " + path("model.onnx") + " --no-measure -o " + path("disk/b")),
            shown("disk/.b.new") + ": cannot create: " + reason);
}

TEST_F(Verbs, WithoutACCompilerNothingIsMeasured) {
  small_model();
  write_x();
  const std::string none = "CC=/nonexistent";
  const std::string message = refusal(compile_line(), none);
  EXPECT_THAT(message, HasSubstr("/nonexistent"));
  EXPECT_FALSE(exists("b"));
  EXPECT_EQ(
      refusal("infer " + path("model.onnx") + " --input x=" + path("x.npy") + " -o " + path("out"),
              none),
      message);
  EXPECT_FALSE(exists("out"));
  EXPECT_EQ(run(compile_line() + " --no-measure", none).code, 0);
}

TEST_F(Verbs, AForeignTargetIsCompiledAndNotMeasured) {
  small_model();
  const Said said = run(compile_line() + " --target aarch64 --json", "CC=/nonexistent");
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(said.parsed()["measured"].is_null());
  EXPECT_EQ(said.parsed()["not_measured"],
            "target \"aarch64\" is for aarch64: compiled, but not measured on this machine");
  EXPECT_TRUE(exists("b/kernels_arm_neon.c"));
  EXPECT_EQ(refusal("bench " + path("b")),
            shown("b") + ": a bundle for aarch64; this machine is x86_64");
}

/// The counts of a map_f32 call over 50 vectors: one call, near in three ways, and nothing behind.
json map_work() {
  json work(24, 0);
  work[0] = 1;
  work[4] = 50;
  return work;
}

TEST_F(Verbs, ADeviceTableIsBuiltComparedAndPredictsForItsTargetAlone) {
  small_model();
  const auto bench = [&](const std::string& name, double ms) {
    std::ofstream(folder_ / name) << json{
        {"format", "xgen bench 3"},
        {"target", "aarch64"},
        {"kernels", "arm-neon"},
        {"cpu", name},
        {"compiler", "cc 1"},
        {"steps",
         {{{"kernel", "map_f32"}, {"work", map_work()}, {"median_ms", ms}, {"min_ms", ms}}}}};
    const Said said = run("latency build --target aarch64 --from " + path(name) + " --table " +
                          path(name + " table.json") + " --json");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(said.parsed()["samples"], 1);
  };
  bench("slow", 3);
  bench("fast", 1);
  const Said said =
      run("latency compare " + path("slow table.json") + " " + path("fast table.json") + " --json");
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_NEAR(said.parsed()["kernels"][0]["second_over_first"], 1.0 / 3, 1e-6);
  const Said checked = run("latency check " + path("fast table.json") +
                           " --target aarch64 --table " + path("slow table.json") + " --json");
  ASSERT_EQ(checked.code, 0) << checked.err;
  EXPECT_EQ(checked.parsed()["calls"], 1);
  EXPECT_EQ(checked.parsed()["within_10_percent"], 0);
  EXPECT_NEAR(checked.parsed()["kernels"][0]["median_error"], 2, 1e-6);
  const std::string predict =
      "predict " + path("model.onnx") + " --table " + path("slow table.json");
  EXPECT_GT(run(predict + " --target aarch64 --json").parsed()["latency_ms"], 0);
  EXPECT_EQ(refusal(predict + " --target x86_64"),
            shown("slow table.json") + ": /target: expected \"x86_64\", got \"aarch64\"");
}

TEST_F(Verbs, SaysWhichLatencyTableServesOrThatNoneDoes) {
  small_model();
  // A compiler of its own name, of which no table can be committed.
  const auto compiler = [&](const std::string& version) {
    std::ofstream(folder_ / "cc") << "#!/bin/sh\n[ \"$1\" = --version ] && echo '" << version
                                  << "' && exit\nexec cc \"$@\"\n";
    fs::permissions(folder_ / "cc", fs::perms::owner_all);
  };
  compiler("test cc 1");
  const std::string place = "XDG_DATA_HOME=" + path("data") + " CC=" + path("cc");
  const std::string predict = "predict " + path("model.onnx") + " --json";
  const Said without = run(predict, place);
  ASSERT_EQ(without.code, 0) << without.err;
  if (without.parsed()["source"] == "static estimate") {
    EXPECT_THAT(without.err, HasSubstr("the static estimate serves"));
    EXPECT_THAT(without.err, HasSubstr("`xgen-train latency build --minutes 2`"));
  } else {
    EXPECT_THAT(without.err, HasSubstr("(committed with xgen)"));
    EXPECT_THAT(without.err, HasSubstr("; it is of another compiler than the one here"));
  }
  const Said built = run("latency build --minutes 0.01 --json", place);
  ASSERT_EQ(built.code, 0) << built.err;
  const fs::path file = built.parsed()["file"].get<std::string>();
  EXPECT_EQ(file.parent_path(), folder_ / "data/xgen/latency");
  const Said with = talking(predict, place);
  ASSERT_EQ(with.code, 0) << with.err;
  EXPECT_NE(with.parsed()["source"], "static estimate");
  EXPECT_THAT(with.err, HasSubstr("test cc 1 (" + file.string() + "): of its "));
  EXPECT_EQ(run("latency fit --table '" + file.string() + "' --json", place).parsed()["fits"],
            built.parsed()["fits"]);
  const Said checked = run("latency check " + path("model.onnx") + " --json", place);
  ASSERT_EQ(checked.code, 0) << checked.err;
  EXPECT_GT(checked.parsed()["slower_than_table"], 0.1);
  EXPECT_LT(checked.parsed()["slower_than_table"], 10);
  compiler("test cc 2");
  const Said old = run(predict, place);
  EXPECT_EQ(old.parsed()["latency_ms"], with.parsed()["latency_ms"]);
  EXPECT_THAT(old.err, HasSubstr("test cc 1 (" + file.string() + "): of its "));
  EXPECT_THAT(old.err, HasSubstr("; it is of another compiler than the one here"));
  // No table is made by itself for another device: what there is is listed.
  const json listed = run("latency show --target aarch64 --json", place).parsed()["tables"];
  ASSERT_FALSE(listed.empty());
  EXPECT_EQ(listed[0]["origin"], file.string());
  EXPECT_EQ(listed[0]["compiler"], "test cc 1");
}

TEST_F(Verbs, ADeviceFileThatCannotBeIsRefusedAndLeavesNoTable) {
  const auto build = [&](const json& file, const std::string& target) {
    std::ofstream(folder_ / "bench.json") << file;
    const std::string text = refusal("latency build --target " + target + " --from " +
                                     path("bench.json") + " --table " + path("table.json"));
    EXPECT_FALSE(exists("table.json"));
    return text;
  };
  json bench = {
      {"format", "xgen bench 3"},
      {"target", "aarch64"},
      {"kernels", "arm-neon"},
      {"cpu", "a board"},
      {"compiler", "cc 1"},
      {"steps", {{{"kernel", "map_f32"}, {"work", map_work()}, {"median_ms", 1}, {"min_ms", 1}}}}};
  EXPECT_EQ(build(bench, "x86_64"),
            shown("bench.json") + ": /target: expected \"x86_64\", got \"aarch64\"");
  bench["steps"][0]["median_ms"] = -1;
  EXPECT_EQ(build(bench, "aarch64"),
            shown("bench.json") +
                ": /steps/0/median_ms: expected milliseconds above 0 and at most 60000, got -1");
  bench["steps"][0].erase("kernel");
  EXPECT_EQ(build(bench, "aarch64"),
            shown("bench.json") + ": /steps/0/kernel: expected a kernel of this version, got null");
}

TEST_F(Verbs, AnUnknownTargetPassOrThreadCountIsRefused) {
  small_model();
  EXPECT_EQ(refusal(compile_line() + " --target sparc"),
            "unknown target \"sparc\"; known targets: host, aarch64, x86_64, or a JSON file");
  EXPECT_THAT(refusal(compile_line() + " --disable fold"),
              HasSubstr("unknown pass \"fold\"; passes: fold_constants, "));
  EXPECT_EQ(refusal(compile_line() + " --threads 2"),
            "--threads: generated kernels run on one thread; expected 1, got 2");
  EXPECT_EQ(refusal(compile_line() + " --batch 2"),
            shown("model.onnx") +
                ": model \"g\": a batch of 2 needs a symbolic leading dimension; its shapes are "
                "fixed");
  EXPECT_FALSE(exists("b"));
}

TEST_F(Verbs, WrongArraysAreRefused) {
  small_model();
  const auto infer = [&](const std::string& inputs) {
    return refusal("infer " + path("model.onnx") + " " + inputs + " -o " + path("out"));
  };
  const std::string has = "\"x\" (f32 [1, 2, 4, 4])", file = shown("x.npy");
  EXPECT_EQ(infer(""),
            shown("model.onnx") +
                ": no file for \"x\"; give every input as --input NAME=FILE.npy: " + has);
  EXPECT_EQ(infer("--input x=" + path("x.npy")), file + ": no such file, or it cannot be read");
  std::ofstream(folder_ / "x.npy") << "not an array";
  EXPECT_EQ(infer("--input x=" + path("x.npy")),
            file + ": expected a .npy file, got another format");
  write_x({1, 2, 4, 5});
  EXPECT_EQ(infer("--input x=" + path("x.npy")),
            file + ": input \"x\": expected f32 [1, 2, 4, 4], got f32 [1, 2, 4, 5]");
  write_npy(folder_ / "x.npy", test::RandomTensors(1).integers<std::uint8_t>({1, 2, 4, 4}, 0, 9));
  EXPECT_EQ(infer("--input x=" + path("x.npy")),
            file + ": input \"x\": expected f32 [1, 2, 4, 4], got u8 [1, 2, 4, 4]");
  write_x();
  EXPECT_EQ(infer("--input x=" + path("x.npy") + " --input xx=" + path("x.npy")),
            "--input xx: the model has no such input; it has " + has);
  EXPECT_EQ(infer("--input x"), "--input: expected NAME=FILE.npy, got \"x\"");
  EXPECT_FALSE(exists("out"));
}

TEST_F(Verbs, ABundleThatWasChangedIsRefused) {
  small_model();
  ASSERT_EQ(run(compile_line() + " --no-measure").code, 0);
  std::ofstream(folder_ / "b" / "model.c", std::ios::app) << "/* mine */\n";
  EXPECT_EQ(refusal("bench " + path("b")),
            shown("b/model.c") +
                ": is not the file that the bundle's manifest.json lists (SHA-256 differs); "
                "compile the model again");
}

TEST_F(Verbs, AFolderThatIsNoModelIsRefused) {
  fs::create_directory(folder_ / "b");
  EXPECT_EQ(refusal("bench " + path("b")),
            shown("b") +
                ": expected an ONNX file, a bundle, or the folder of a run that was "
                "compiled; this folder has no model.c");
}

TEST_F(Verbs, KernelsThatDoNotRunHereAreRefused) {
  small_model();
  EXPECT_THAT(refusal("bench " + path("model.onnx") + " --kernels arm-neon"),
              HasSubstr("--kernels arm-neon: does not run on this machine, which has scalar"));
  EXPECT_THAT(refusal("bench " + path("model.onnx") + " --kernels mmx"),
              HasSubstr("unknown instruction set \"mmx\"; known: scalar, x86-avx2"));
}

}  // namespace
}  // namespace xgen::cli
