#include "codegen/latency/device_times.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "codegen/bundle/bundle.h"
#include "codegen/compile.h"
#include "codegen/latency/single_layer.h"
#include "codegen/runtime/c_compiler.h"
#include "codegen/targets.h"
#include "core/cpu_name.h"
#include "tests/codegen/latency/map_work.h"
#include "tests/support/command.h"
#include "tests/support/message.h"
#include "tests/support/temporary_folder.h"

namespace xgen::latency {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// What `bench` prints, of one kernel call.
json bench() {
  return {{"format", "xgen bench 3"},
          {"target", "aarch64"},
          {"kernels", "arm-neon"},
          {"cpu", "a board"},
          {"compiler", "cc 1"},
          {"steps",
           {{{"name", "a"},
             {"kernel", "map_f32"},
             {"work", map_work(500).counts},
             {"median_ms", 0.5},
             {"min_ms", 0.25}}}}};
}

TEST(DeviceTimes, BecomeATable) {
  const test::TemporaryFolder folder;
  json second = bench();
  second["steps"][0]["work"] = map_work(1000).counts;
  second["steps"][0]["median_ms"] = 1;
  const LatencyTable table =
      table_of_device({folder.put("a.json", bench().dump()), folder.put("b.json", second.dump())});
  EXPECT_EQ(table.platform(), (Platform{"aarch64", "arm-neon", "a board", "cc 1"}));
  EXPECT_EQ(table.samples().size(), 2U);
  // Two calls cannot tell what a call costs and what a vector does; the static estimate can.
  EXPECT_NEAR(table.predict(map_work(2000)), 2000, 60);
}

TEST(DeviceTimes, AreWhatTheBenchProgramOfABundlePrints) {
  const test::TemporaryFolder folder;
  CompileOptions options;
  options.target = find_target("host");
  LayerShape shape;
  shape.c_in = shape.c_out = 16;
  shape.height = shape.width = 8;
  const CompiledModel model = compile(single_layer(shape, {}), options);
  bundle::write_bundle(model, folder / "bundle", {});
  const std::string at = (folder / "bundle").string(), out = (folder / "bench.json").string();
  const test::CommandResult built = test::run_command(
      str("cd ", at, " && ", host_compiler(),
          " -std=c11 -O2 -ffp-contract=off -Wall -Wextra -Werror model.c kernels_*.c bench.c -o "
          "bench -lm && ./bench . 20 >",
          out));
  ASSERT_EQ(built.exit_code, 0) << built.output;
  const LatencyTable table = table_of_device({out});
  EXPECT_EQ(table.platform().target, options.target.name);
  EXPECT_EQ(table.platform().cpu, cpu_name());  // so that the table serves on this machine
  EXPECT_EQ(table.samples().size(), model.program.steps.size());
  const Machine machine = machine_of(options.target, table.platform().kernels);
  for (std::size_t i = 0; i < model.program.steps.size(); ++i) {
    EXPECT_EQ(table.samples()[i].work.counts,
              work_of(model.program, model.program.steps[i], machine).counts);
  }
}

// What a crashed, interrupted or edited measurement may leave.
TEST(DeviceTimes, RefuseRowsThatCannotBe) {
  const test::TemporaryFolder folder;
  const auto message_of_text = [&](const std::string& text) {
    const auto file = folder.put("b.json", text);
    return test::message_of([&] { table_of_device({file}); }, file.string());
  };
  const auto message = [&](const char* key, const json& value) {
    json wrong = bench();
    if (value.is_discarded())
      wrong["steps"][0].erase(key);
    else
      wrong["steps"][0][key] = value;
    return message_of_text(wrong.dump());
  };
  const json missing = json(json::value_t::discarded);
  const std::string median =
                        "F: /steps/0/median_ms: expected milliseconds above 0 and at most "
                        "60000, got ",
                    least =
                        "F: /steps/0/min_ms: expected milliseconds from 0 to the median's 0.5, "
                        "got ",
                    work = str("F: /steps/0/work: expected ", map_work(1).counts.size(),
                               " numbers from 0 to 1e+15, got "),
                    kernel = "F: /steps/0/kernel: expected a kernel of this version, got ";
  EXPECT_EQ(message("median_ms", missing), median + "null");
  EXPECT_EQ(message("median_ms", nullptr), median + "null");
  EXPECT_EQ(message("median_ms", -1), median + "-1");
  EXPECT_EQ(message("median_ms", 1e300), median + "1e+300");
  EXPECT_EQ(message("median_ms", "0.5"), median + "\"0.5\"");
  EXPECT_EQ(message("min_ms", missing), least + "null");
  EXPECT_EQ(message("min_ms", -0.25), least + "-0.25");
  EXPECT_EQ(message("min_ms", "fast"), least + "\"fast\"");
  EXPECT_EQ(message("work", missing), work + "null");
  EXPECT_EQ(message("work", "many"), work + "\"many\"");
  json counts = map_work(500).counts;
  counts[1] = -1;
  EXPECT_EQ(message("work", counts), work + counts.dump());
  counts[1] = "500";
  EXPECT_EQ(message("work", counts), work + counts.dump());
  counts[1] = nullptr;  // what many programs write for a number that is none
  EXPECT_EQ(message("work", counts), work + counts.dump());
  counts[1] = 1e16;
  EXPECT_EQ(message("work", counts), work + counts.dump());
  EXPECT_EQ(message("work", std::vector<int>(map_work(1).counts.size(), 0)),
            "F: /steps/0/work: expected the work of a call, got zeros alone");
  EXPECT_EQ(message("kernel", missing), kernel + "null");
  EXPECT_EQ(message("kernel", 7), kernel + "7");
  json row = bench();
  row["steps"].push_back("map_f32");
  EXPECT_EQ(message_of_text(row.dump()), "F: /steps/1: expected a step, got \"map_f32\"");
  std::string text = bench().dump();
  text.replace(text.find("0.25"), 4, "NaN");
  EXPECT_THAT(message_of_text(text), HasSubstr("F:1:"));
  EXPECT_THAT(message_of_text(bench().dump().substr(0, 40)), HasSubstr("F:1:"));
}

TEST(DeviceTimes, SayWhatIsWrongWithAFile) {
  const test::TemporaryFolder folder;
  const auto message = [&](const char* pointer, const json& value) {
    json wrong = bench();
    wrong[json::json_pointer(pointer)] = value;
    const auto file = folder.put("b.json", wrong.dump());
    return test::message_of([&] { table_of_device({file}); }, file.string());
  };
  EXPECT_THAT(message("/format", "another"),
              HasSubstr("F: expected what the bench program of a bundle prints"));
  EXPECT_EQ(message("/cpu", 3), "F: /cpu: expected a name, got 3");
  EXPECT_EQ(message("/kernels", "mmx"),
            "F: /kernels: expected an instruction set of `xgen-train targets`, got \"mmx\"");
  EXPECT_EQ(message("/steps", json::array()), "F: /steps: expected the times of kernels, got []");
  EXPECT_EQ(message("/steps/0/kernel", "map_f64"),
            "F: /steps/0/kernel: expected a kernel of this version, got \"map_f64\"");
  EXPECT_EQ(message("/steps/0/work", {1, 2}),
            str("F: /steps/0/work: expected ", map_work(1).counts.size(),
                " numbers from 0 to 1e+15, got [1,2]"));
  EXPECT_EQ(message("/steps/0/median_ms", 0),
            "F: /steps/0/median_ms: expected milliseconds above 0 and at most 60000, got 0");
  EXPECT_EQ(message("/steps/0/min_ms", 0.75),
            "F: /steps/0/min_ms: expected milliseconds from 0 to the median's 0.5, got 0.75");
  json other = bench();
  other["cpu"] = "another";
  const auto a = folder.put("a.json", bench().dump()), b = folder.put("b.json", other.dump());
  EXPECT_EQ(test::message_of(
                [&] {
                  table_of_device({a, b});
                },
                b.string()),
            "F: was measured on another, arm-neon, cc 1, the files before on a board, arm-neon, cc "
            "1; make a table of each");
}

}  // namespace
}  // namespace xgen::latency
