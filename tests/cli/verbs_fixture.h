#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/npy.h"
#include "tests/core/onnx/model_builder.h"
#include "tests/support/command.h"
#include "tests/support/random_graph.h"

namespace xgen::cli {

namespace fs = std::filesystem;
using nlohmann::json;

struct Said {
  int code = 0;
  std::string out, err;
  json parsed() const { return json::parse(out); }
};

/// The built program as a person calls it, on models that tests write.
class VerbsFixture : public OnnxTest {
 protected:
  // Runs `xgen-train -q ARGS`; only warnings and errors are left on stderr.
  Said run(const std::string& arguments, const std::string& environment = "") const {
    return talking("-q " + arguments, environment);
  }
  Said talking(const std::string& arguments, const std::string& environment) const {
    const std::string err = (folder_ / "stderr.txt").string();
    const auto result =
        test::run_command(environment + " '" XGEN_TRAIN "' " + arguments + " 2>'" + err + "'");
    std::ifstream file(err);
    return {result.exit_code, result.output, {std::istreambuf_iterator<char>(file), {}}};
  }
  // The message of a refusal, without the program's name and the end of the line.
  std::string refusal(const std::string& arguments, const std::string& environment = "") const {
    const Said said = run(arguments, environment);
    EXPECT_EQ(said.code, 2) << said.out << said.err;
    EXPECT_EQ(said.out, "");
    const std::string name = "xgen-train: ";
    EXPECT_EQ(said.err.rfind(name, 0), 0U) << said.err;
    std::string text = said.err.substr(std::min(name.size(), said.err.size()));
    if (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }
  std::string path(const std::string& name) const { return "'" + (folder_ / name).string() + "'"; }
  std::string shown(const std::string& name) const { return (folder_ / name).string(); }
  std::string compile_line() const { return "compile " + path("model.onnx") + " -o " + path("b"); }

  // x [1, 2, 4, 4] -> Conv -> Relu -> y; writes model.onnx.
  void small_model(std::int64_t batch = 1) {
    input("x", {batch, 2, 4, 4});
    test::RandomTensors random(1);
    const ir::Constant w = random.f32({4, 2, 3, 3});
    floats("w", {4, 2, 3, 3}, {w.as<float>().begin(), w.as<float>().end()});
    set(node("Conv", "conv", {"x", "w"}, "c"), "pads", std::vector<std::int64_t>{1, 1, 1, 1});
    node("Relu", "relu", {"c"}, "out/y");
    output("out/y");
    write(bytes());
  }
  void write_x(const ir::Extents& shape = {1, 2, 4, 4}) const {
    write_npy(folder_ / "x.npy", test::RandomTensors(2).f32(shape));
  }
  bool exists(const std::string& name) const { return fs::exists(folder_ / name); }
};

}  // namespace xgen::cli
