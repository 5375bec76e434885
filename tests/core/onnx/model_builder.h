#pragma once

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/onnx/import.h"

namespace xgen {

/// Writes ONNX files, right and wrong ones, into a folder of the running test.
class OnnxTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("xgen_") + info->test_suite_name() + "_" + info->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "model.onnx";
    model_.set_ir_version(8);
    set_opset(13);
    model_.mutable_graph()->set_name("g");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void set_opset(int opset) {
    model_.clear_opset_import();
    model_.add_opset_import()->set_version(opset);
  }
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }

  /// A float input; -1 is an extent without a number.
  void input(const std::string& name, const std::vector<std::int64_t>& shape) {
    auto& info = *graph().add_input();
    info.set_name(name);
    auto& type = *info.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    type.mutable_shape();
    for (const std::int64_t n : shape) {
      auto* dim = type.mutable_shape()->add_dim();
      if (n >= 0) dim->set_dim_value(n);
    }
  }
  void output(const std::string& name) { graph().add_output()->set_name(name); }
  onnx::TensorProto& floats(const std::string& name, const std::vector<std::int64_t>& shape,
                            const std::vector<float>& values) {
    auto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t n : shape) tensor.add_dims(n);
    for (const float v : values) tensor.add_float_data(v);
    return tensor;
  }
  void integers(const std::string& name, const std::vector<std::int64_t>& values) {
    auto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_dims(static_cast<std::int64_t>(values.size()));
    for (const std::int64_t v : values) tensor.add_int64_data(v);
  }
  onnx::NodeProto& node(const std::string& op, const std::string& name,
                        const std::vector<std::string>& inputs, const std::string& out) {
    auto& proto = *graph().add_node();
    proto.set_op_type(op);
    proto.set_name(name);
    for (const auto& in : inputs) proto.add_input(in);
    proto.add_output(out);
    return proto;
  }
  static void set(onnx::NodeProto& proto, const std::string& key, std::int64_t value) {
    auto* a = proto.add_attribute();
    a->set_name(key);
    a->set_type(onnx::AttributeProto::INT);
    a->set_i(value);
  }
  static void set(onnx::NodeProto& proto, const std::string& key, float value) {
    auto* a = proto.add_attribute();
    a->set_name(key);
    a->set_type(onnx::AttributeProto::FLOAT);
    a->set_f(value);
  }
  static void set(onnx::NodeProto& proto, const std::string& key, const char* value) {
    auto* a = proto.add_attribute();
    a->set_name(key);
    a->set_type(onnx::AttributeProto::STRING);
    a->set_s(value);
  }
  static void set(onnx::NodeProto& proto, const std::string& key,
                  const std::vector<std::int64_t>& values) {
    auto* a = proto.add_attribute();
    a->set_name(key);
    a->set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t v : values) a->add_ints(v);
  }
  static void set(onnx::NodeProto& proto, const std::string& key,
                  const std::vector<float>& values) {
    auto* a = proto.add_attribute();
    a->set_name(key);
    a->set_type(onnx::AttributeProto::FLOATS);
    for (const float v : values) a->add_floats(v);
  }

  void write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
  std::string bytes() const { return model_.SerializeAsString(); }
  ir::Graph import() {
    write(bytes());
    return import_onnx(path_);
  }
  /// What import_onnx says of the file that is there, without the path in front.
  std::string message_of_file() const {
    try {
      import_onnx(path_);
    } catch (const UserError& e) {
      const std::string text = e.what();
      const std::string prefix = path_.string() + ": ";
      return text.rfind(prefix, 0) == 0 ? text.substr(prefix.size()) : "NO PATH: " + text;
    }
    return "no error";
  }
  std::string message() {
    write(bytes());
    return message_of_file();
  }

  std::filesystem::path folder_, path_;
  onnx::ModelProto model_;
};

}  // namespace xgen
