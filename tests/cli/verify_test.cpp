#include "tests/cli/verbs_fixture.h"

/// Folders in the ONNX backend-test layout, as `xgen-train verify` judges them.
namespace xgen::cli {
namespace {

class Verify : public VerbsFixture {
 protected:
  // A folder of the small model with an input and the output that somebody claims.
  void test_folder(const std::string& name, float added) {
    const fs::path set = folder_ / "tests" / name / "test_data_set_0";
    fs::create_directories(set);
    path_ = folder_ / "tests" / name / "model.onnx";
    model_.clear_graph();
    graph().set_name("g");
    input("x", {1, 3});
    node("Relu", "relu", {"x"}, "y");
    output("y");
    write(bytes());
    tensor(set / "input_0.pb", {-1, 2, 3});
    tensor(set / "output_0.pb", {0, 2, 3 + added});
  }
  static void tensor(const fs::path& file, const std::vector<float>& values) {
    onnx::TensorProto t;
    t.set_data_type(onnx::TensorProto::FLOAT);
    t.add_dims(1);
    t.add_dims(3);
    for (const float v : values) t.add_float_data(v);
    std::ofstream(file, std::ios::binary) << t.SerializeAsString();
  }
};

TEST_F(Verify, TellsPassedWrongAndRefusedApart) {
  test_folder("right", 0.001F);
  test_folder("slightly_off", 0.01F);
  test_folder("strange", 0);
  node("Acos", "acos", {"x"}, "z");
  write(bytes());
  const Said said = run("verify " + path("tests") + " --json");
  EXPECT_EQ(said.code, 4) << said.err;
  const json result = said.parsed();
  EXPECT_EQ(result["passed"], 1);
  EXPECT_EQ(result["wrong"], 1);
  EXPECT_EQ(result["refused"], 1);
  EXPECT_EQ(result["crashed"], 0);
  EXPECT_EQ(result["folders"][1]["reason"],
            "test_data_set_0, output \"y\": element 2: expected 3.01, got 3");
  EXPECT_EQ(result["folders"][2]["reason"],
            "1 operator is not supported (opset 13):\n  Acos: node \"acos\"");
  EXPECT_EQ(run("verify " + path("tests/right")).code, 0);
}

TEST_F(Verify, RefusesOpsetsThatAreNotRead) {
  for (const int opset : {6, 23}) {
    set_opset(opset);
    test_folder("opset", 0);
    const json result = run("verify " + path("tests/opset") + " --json").parsed();
    EXPECT_EQ(result["folders"][0]["reason"],
              "opset " + std::to_string(opset) + " is not supported; expected 7 to 22");
  }
}

TEST_F(Verify, RefusesAFolderWithoutAModel) {
  fs::create_directory(folder_ / "tests");
  EXPECT_EQ(refusal("verify " + path("tests")),
            shown("tests") + ": has no model.onnx, nor has a folder in it");
}

}  // namespace
}  // namespace xgen::cli
