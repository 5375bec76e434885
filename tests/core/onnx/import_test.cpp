#include "core/onnx/import.h"

#include "core/ir/print.h"
#include "core/onnx/read_tensor.h"
#include "tests/core/onnx/model_builder.h"

namespace xgen {
namespace {

class ImportOnnx : public OnnxTest {
 protected:
  void relu_model() {
    input("x", {-1, 4});
    node("Relu", "r", {"x"}, "y");
    output("y");
  }
};

TEST_F(ImportOnnx, NamesOpenExtentsAndUnnamedNodes) {
  input("x", {-1, 4, -1});
  node("Relu", "", {"x"}, "a");
  node("Relu", "", {"a"}, "y");
  output("y");
  EXPECT_EQ(ir::print(import()),
            "g(x: f32 [N, 4, x_2]) -> y\n"
            "  a: f32 [N, 4, x_2] = Relu(x)  # Relu_0\n"
            "  y: f32 [N, 4, x_2] = Relu(a)  # Relu_1\n");
}

TEST_F(ImportOnnx, DropsIdentityAndKeepsTheNameOfTheOutput) {
  input("x", {-1, 2});
  floats("w", {2, 2}, {1, 2, 3, 4});
  node("Identity", "i", {"w"}, "w2");
  node("MatMul", "m", {"x", "w2"}, "a");
  node("Identity", "j", {"a"}, "b");
  node("Identity", "k", {"b"}, "y");
  output("y");
  EXPECT_EQ(ir::print(import()),
            "g(x: f32 [N, 2]) -> y\n  y: f32 [N, 2] = MatMul(x, w: f32 [2, 2])  # m\n");
}

TEST_F(ImportOnnx, GivesEveryConstantItsRole) {
  input("x", {-1, 1, 2, 2});
  floats("w", {1, 1, 1, 1}, {1});
  floats("scale", {1}, {1});
  floats("shift", {1}, {1});
  floats("mean", {1}, {1});
  floats("var", {1}, {1});
  floats("k", {1}, {1});
  node("Conv", "c", {"x", "w"}, "a");
  node("BatchNormalization", "b", {"a", "scale", "shift", "mean", "var"}, "n");
  node("Mul", "m", {"n", "k"}, "y");
  output("y");
  // An initializer that is an input as well stays a constant.
  input("w", {1, 1, 1, 1});
  const ir::Graph g = import();
  EXPECT_EQ(g.inputs().size(), 1U);
  const auto role = [&](const char* name) { return g.constant(g.find(name))->role; };
  EXPECT_EQ(role("w"), ir::Role::parameter);
  EXPECT_EQ(role("shift"), ir::Role::parameter);
  EXPECT_EQ(role("var"), ir::Role::buffer);
  EXPECT_EQ(role("k"), ir::Role::fixed);
}

TEST_F(ImportOnnx, RefusesFilesThatAreNoModel) {
  EXPECT_EQ(message_of_file(), "no such file");
  write("");
  EXPECT_EQ(message_of_file(), "the file is empty");
  write("PK\x03\x04 this is a zip file, or so");
  EXPECT_EQ(message_of_file(), "not an ONNX model, or the file is truncated (30 bytes)");
  relu_model();
  const std::string whole = bytes();
  write(whole.substr(0, whole.size() - 3));
  EXPECT_EQ(message_of_file(),
            str("not an ONNX model, or the file is truncated (", whole.size() - 3, " bytes)"));
  write(onnx::ModelProto::default_instance().SerializeAsString() + std::string("\x08\x07", 2));
  EXPECT_EQ(message_of_file(), "not an ONNX model (it has no graph or no opset)");
}

TEST_F(ImportOnnx, RefusesOtherOpsets) {
  relu_model();
  set_opset(6);
  EXPECT_EQ(message(), "opset 6 is not supported; expected 7 to 22");
  set_opset(23);
  EXPECT_EQ(message(), "opset 23 is not supported; expected 7 to 22");
}

TEST_F(ImportOnnx, ListsEveryUnsupportedOperator) {
  input("x", {-1, 2});
  node("LSTM", "rnn", {"x"}, "a");
  for (int i = 0; i < 5; ++i) node("Einsum", str("e", i), {"x"}, str("v", i));
  node("Relu", "other", {"x"}, "z").set_domain("com.acme");
  EXPECT_EQ(message(),
            "3 operators are not supported (opset 13):\n"
            "  Einsum: node \"e0\", \"e1\", \"e2\" and 2 more\n"
            "  LSTM: node \"rnn\"\n"
            "  com.acme.Relu: node \"other\"");
}

TEST_F(ImportOnnx, RefusesUndefinedAndDoubleValues) {
  input("x", {-1, 2});
  auto& first = node("Relu", "r", {"w"}, "y");
  output("y");
  EXPECT_EQ(message(),
            "node \"r\" (Relu, opset 13): input \"w\" is not defined before this node; nodes must "
            "be in topological order");
  first.set_input(0, "x");
  node("Relu", "s", {"x"}, "y");
  EXPECT_EQ(message(), "node \"s\" (Relu, opset 13): value \"y\" is defined twice");
  graph().mutable_node()->RemoveLast();
  output("z");
  EXPECT_EQ(message(), "output \"z\" is not computed by any node");
  input("x", {1});
  EXPECT_EQ(message(), "value \"x\" is defined twice");
}

TEST_F(ImportOnnx, RefusesBrokenTensors) {
  relu_model();
  auto& tensor = floats("w", {2, 3}, {1, 2});
  EXPECT_EQ(message(), "initializer \"w\": expected 6 elements for [2, 3], got 2");
  tensor.clear_float_data();
  tensor.set_raw_data("1234");
  EXPECT_EQ(message(), "initializer \"w\": expected 24 bytes for [2, 3] of f32, got 4");
  tensor.set_dims(0, -2);
  EXPECT_EQ(message(), "initializer \"w\": extent -2");
  tensor.set_data_type(onnx::TensorProto::FLOAT16);
  EXPECT_EQ(message(),
            "initializer \"w\": element type FLOAT16 is not supported; supported are FLOAT, "
            "DOUBLE, INT64, INT32, INT8, UINT8 and BOOL");
}

TEST_F(ImportOnnx, ReadsExternalDataInsideTheFolderOnly) {
  input("x", {-1, 2});
  node("Add", "a", {"x", "w"}, "y");
  output("y");
  auto& tensor = floats("w", {2}, {});
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto entry = [&](const std::string& key, const std::string& value) {
    auto* e = tensor.add_external_data();
    e->set_key(key);
    e->set_value(value);
  };
  entry("location", "data/w.bin");
  EXPECT_EQ(message(), "initializer \"w\": external data \"data/w.bin\" cannot be read");
  std::filesystem::create_directories(folder_ / "data");
  const std::vector<float> values{0, 5, 7};
  const std::string data(reinterpret_cast<const char*>(values.data()), 12);
  std::ofstream(folder_ / "data" / "w.bin", std::ios::binary) << data;
  entry("offset", "4");
  const ir::Graph g = import();
  EXPECT_EQ(g.constant(g.find("w"))->as<float>()[1], 7);

  tensor.mutable_external_data(1)->set_value("8");
  EXPECT_EQ(message(), "initializer \"w\": external data \"data/w.bin\" end before byte 16");
  tensor.mutable_external_data(1)->set_value("x");
  EXPECT_EQ(message(), "initializer \"w\": external data: offset \"x\" is no size");
  const char* outside = "lie outside of the model's folder; move them beside the model";
  for (const char* location : {"/etc/hostname", "../w.bin", "data/../../w.bin"}) {
    tensor.mutable_external_data(0)->set_value(location);
    EXPECT_EQ(message(), str("initializer \"w\": external data \"", location, "\" ", outside));
  }
  std::filesystem::create_symlink("/etc", folder_ / "link");
  tensor.mutable_external_data(0)->set_value("link/hostname");
  EXPECT_EQ(message(), str("initializer \"w\": external data \"link/hostname\" ", outside));
}

TEST_F(ImportOnnx, ReadsTensorFiles) {
  onnx::TensorProto tensor;
  tensor.set_name("x");
  tensor.set_data_type(onnx::TensorProto::UINT8);
  tensor.add_dims(2);
  tensor.add_int32_data(7);
  tensor.add_int32_data(255);
  write(tensor.SerializeAsString());
  const NamedTensor read = read_onnx_tensor(path_);
  EXPECT_EQ(read.name, "x");
  EXPECT_EQ(read.tensor.as<std::uint8_t>()[1], 255);
}

}  // namespace
}  // namespace xgen
