#include "codegen/bundle/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <ostream>
#include <sstream>

#include "codegen/runtime/c_compiler.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "core/reference/evaluate.h"
#include "core/sha256.h"
#include "tests/support/command.h"
#include "tests/support/random_graph.h"
#include "tests/support/temporary_folder.h"

namespace xgen::bundle {
namespace {

namespace fs = std::filesystem;
using ir::DType;
using ir::ValueId;

ir::QuantParams q(float scale, int zero) { return {{scale}, {zero}, -1}; }

// A small net with one of each: convolution, depthwise, pools, residual, concat, Gemm.
class NetBuilder {
 public:
  explicit NetBuilder(bool integer) : integer_(integer) { graph_.name = "small net"; }

  ir::Graph build() {
    const ValueId x =
        graph_.add_input("x", {integer_ ? DType::u8 : DType::f32, ir::Shape{1, 3, 12, 12}, {}});
    if (integer_) graph_.value(x).type.quant = q(0.02F, 7);
    ir::Conv same;
    same.pads = {1, 1, 1, 1};
    ir::Conv strided = same;
    strided.strides = {2, 2};
    ir::Conv depthwise = same;
    depthwise.groups = 8;
    ir::MaxPool halve;
    halve.kernel = halve.strides = {2, 2};
    ir::AveragePool average;
    average.kernel = average.strides = {2, 2};
    ir::Gemm gemm;
    gemm.trans_b = true;

    const ir::QuantParams wide = q(0.05F, 121), positive = q(0.04F, 3);
    const ValueId c1 = node("c1", same, weighted(x, {8, 3, 3, 3}), positive);
    const ValueId relu = node("relu", ir::Unary{}, {c1}, positive);
    const ValueId dw = node("dw", depthwise, weighted(relu, {8, 1, 3, 3}), wide);
    const ValueId pool = node("pool", halve, {dw}, wide);
    const ValueId c2 = node("c2", ir::Conv{}, weighted(pool, {8, 8, 1, 1}), q(0.06F, 130));
    const ValueId sum = node("sum", ir::Binary{}, {c2, pool}, q(0.07F, 110));
    const ValueId c3 = node("c3", strided, weighted(relu, {8, 8, 3, 3}), q(0.05F, 100));
    const ValueId cat = node("cat", ir::Concat{}, {sum, c3}, q(0.08F, 120));
    const ValueId mean = node("mean", average, {cat}, q(0.06F, 120));
    const ValueId flat = node("flat", ir::Flatten{}, {mean}, q(0.06F, 120));
    graph_.set_outputs({node("y", gemm, weighted(flat, {10, 144}), q(0.1F, 128))});
    return std::move(graph_);
  }

 private:
  ValueId node(const std::string& name, ir::Op op, std::vector<ValueId> inputs,
               const ir::QuantParams& quant) {
    const ValueId y = graph_.add_node(name, std::move(op), std::move(inputs));
    if (integer_) graph_.value(y).type = {DType::u8, {}, quant};
    return y;
  }
  // x, a weight, a bias.
  std::vector<ValueId> weighted(ValueId x, const ir::Extents& shape) {
    const std::string name = "w" + std::to_string(graph_.values().size());
    const ValueId w = graph_.add_constant(
        name, integer_ ? random_.integers<std::int8_t>(shape, -127, 127) : random_.f32(shape));
    const ValueId b = graph_.add_constant(
        name + ".bias",
        integer_ ? random_.integers<std::int32_t>({shape[0]}, -500, 500) : random_.f32({shape[0]}));
    if (integer_) {
      ir::QuantParams scales{{}, {}, 0};
      for (std::int64_t f = 0; f < shape[0]; ++f) {
        scales.scale.push_back(0.0015F + 0.0001F * static_cast<float>(f));
        scales.zero_point.push_back(0);
      }
      graph_.value(w).type.quant = scales;
    }
    return {x, w, b};
  }

  bool integer_;
  test::RandomTensors random_{1};
  ir::Graph graph_;
};

CompiledModel compiled(bool integer, const std::string& target) {
  CompileOptions options;
  options.target = find_target(target);
  return compile(NetBuilder(integer).build(), options);
}

// Random inputs with the reference's outputs.
std::vector<GoldenCase> golden_cases(const CompiledModel& model, int count) {
  std::vector<GoldenCase> cases;
  test::RandomTensors random(7);
  for (int i = 0; i < count; ++i) {
    GoldenCase c;
    for (const TensorInfo& in : model.program.inputs)
      c.inputs.push_back(in.dtype == DType::u8 ? random.integers<std::uint8_t>(in.shape, 0, 255)
                                               : random.f32(in.shape));
    c.outputs = reference::evaluate(model.graph, c.inputs);
    cases.push_back(std::move(c));
  }
  return cases;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool installed(const std::string& program) {
  return test::run_command("command -v " + program).exit_code == 0;
}

// The one line that a bundle's README gives, with all warnings as errors.
test::CommandResult build(const fs::path& folder, const std::string& compiler,
                          const std::string& flags = "") {
  return test::run_command("cd '" + folder.string() + "' && " + compiler + " " + kCFlags +
                           " -Wall -Wextra -Werror " + flags +
                           " model.c kernels_*.c selftest.c -o selftest -lm");
}

constexpr int kCases = 100;

class Bundle : public ::testing::TestWithParam<bool> {};

TEST_P(Bundle, PassesItsSelftestOnEveryInstructionSetOfThisMachine) {
  const test::TemporaryFolder folder;
  const CompiledModel model = compiled(GetParam(), "host");
  write_bundle(model, folder / "b", {{}, golden_cases(model, kCases), false});
  const auto built = build(folder / "b", host_compiler());
  ASSERT_EQ(built.exit_code, 0) << built.output;
  const auto ran = test::run_command("cd '" + (folder / "b").string() + "' && ./selftest");
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  for (const kernels::Isa* isa : kernels::host_isas())
    EXPECT_THAT(ran.output, ::testing::HasSubstr(isa->name));
}

TEST_P(Bundle, PassesItsSelftestWhenClangBuildsIt) {
  if (!installed("clang")) GTEST_SKIP() << "needs clang";
  const test::TemporaryFolder folder;
  const CompiledModel model = compiled(GetParam(), "host");
  write_bundle(model, folder / "b", {{}, golden_cases(model, kCases), false});
  const auto built = build(folder / "b", "clang");
  ASSERT_EQ(built.exit_code, 0) << built.output;
  const auto ran = test::run_command("cd '" + (folder / "b").string() + "' && ./selftest");
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
}

// GCC, and Clang with the headers and libraries of the GCC for ARM, as Android's toolchain is one.
TEST_P(Bundle, PassesItsSelftestOnAnEmulatedArm) {
  const Target target = find_target("aarch64");
  if (!installed(target.cross_compiler) || !installed(target.emulator))
    GTEST_SKIP() << "needs " << target.cross_compiler << " and " << target.emulator;
  const test::TemporaryFolder folder;
  const CompiledModel model = compiled(GetParam(), "aarch64");
  write_bundle(model, folder / "b", {{}, golden_cases(model, kCases), false});
  std::vector<std::string> compilers = {target.cross_compiler};
  if (installed("clang")) compilers.push_back("clang --target=aarch64-linux-gnu");
  for (const std::string& compiler : compilers) {
    SCOPED_TRACE(compiler);
    const auto built = build(folder / "b", compiler, "-static");
    ASSERT_EQ(built.exit_code, 0) << built.output;
    const auto ran = test::run_command("cd '" + (folder / "b").string() + "' && " +
                                       target.emulator + " -cpu max ./selftest");
    EXPECT_EQ(ran.exit_code, 0) << ran.output;
    for (const std::string& isa : target.kernels)
      EXPECT_THAT(ran.output, ::testing::HasSubstr(isa));
  }
}

TEST_P(Bundle, NoticesAWrongOutput) {
  const test::TemporaryFolder folder;
  const CompiledModel model = compiled(GetParam(), "host");
  std::vector<GoldenCase> cases = golden_cases(model, 2);
  // One step of an integer, or far more than the tolerance.
  ir::Constant& y = cases[1].outputs[0];
  if (GetParam())
    y.as_mutable<std::uint8_t>()[5] ^= 1;
  else
    y.as_mutable<float>()[5] += 1;
  write_bundle(model, folder / "b", {{}, cases, false});
  ASSERT_EQ(build(folder / "b", host_compiler()).exit_code, 0);
  EXPECT_EQ(test::run_command("cd '" + (folder / "b").string() + "' && ./selftest").exit_code, 1);
}

// Without position-independent code, tables of pointers are read-only data for `nm` too.
TEST_P(Bundle, HasNoWrittenGlobalsAndDoesNotAllocate) {
  if (!installed("nm")) GTEST_SKIP() << "needs nm";
  const test::TemporaryFolder folder;
  write_bundle(compiled(GetParam(), "host"), folder / "b");
  const auto listed =
      test::run_command("cd '" + (folder / "b").string() + "' && " + host_compiler() + " " +
                        kCFlags + " -fno-pic -fno-pie -c model.c kernels_*.c && nm -P *.o");
  ASSERT_EQ(listed.exit_code, 0) << listed.output;
  std::istringstream lines(listed.output);
  int symbols = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, type;
    if (!(words >> name >> type) || type.size() != 1) continue;
    ++symbols;
    EXPECT_EQ(std::string("BDCSbds").find(type), std::string::npos) << "written: " << line;
    if (type != "U") continue;
    EXPECT_THAT(name, ::testing::Not(::testing::AnyOf("malloc", "calloc", "realloc", "free",
                                                      "aligned_alloc", "posix_memalign")));
  }
  EXPECT_GT(symbols, 10);
}

TEST_P(Bundle, ListsTheHashOfEveryFile) {
  const test::TemporaryFolder folder;
  write_bundle(compiled(GetParam(), "host"), folder / "b");
  const auto manifest = nlohmann::json::parse(read(folder / "b" / "manifest.json"));
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder / "b")) {
    const std::string name = entry.path().filename().string();
    if (name == "manifest.json") continue;
    ++files;
    ASSERT_TRUE(manifest["files"].contains(name)) << name;
    const std::string text = read(entry.path());
    EXPECT_EQ(manifest["files"][name]["sha256"], sha256_hex(text)) << name;
    EXPECT_EQ(manifest["files"][name]["bytes"], text.size()) << name;
  }
  EXPECT_EQ(manifest["files"].size(), files);
}

TEST_P(Bundle, CarriesItsWeightsAsCWhereAsked) {
  const test::TemporaryFolder folder;
  BundleOptions options;
  options.embed_weights = true;
  write_bundle(compiled(GetParam(), "host"), folder / "b", options);
  const auto built =
      test::run_command("cd '" + (folder / "b").string() + "' && " + host_compiler() + " " +
                        kCFlags + " -Wall -Wextra -Werror -c weights.c && nm weights.o");
  ASSERT_EQ(built.exit_code, 0) << built.output;
  EXPECT_THAT(built.output, ::testing::HasSubstr("R small_net_weights"));
}

INSTANTIATE_TEST_SUITE_P(, Bundle, ::testing::Values(false, true),
                         [](const auto& p) { return p.param ? "int8" : "fp32"; });

TEST(WriteBundle, LeavesAFolderWithOtherFilesAlone) {
  const test::TemporaryFolder folder;
  fs::create_directory(folder / "b");
  std::ofstream(folder / "b" / "letter.txt") << "dear";
  try {
    write_bundle(compiled(true, "host"), folder / "b");
    ADD_FAILURE() << "no error";
  } catch (const UserError& error) {
    EXPECT_EQ(error.what(), (folder / "b").string() +
                                ": expected a new or empty folder, or an earlier bundle, got a "
                                "folder with other files");
  }
  EXPECT_EQ(read(folder / "b" / "letter.txt"), "dear");
}

TEST(WriteBundle, ReplacesAnEarlierBundleAsAWhole) {
  const test::TemporaryFolder folder;
  BundleOptions options;
  options.embed_weights = true;
  write_bundle(compiled(true, "host"), folder / "b", options);
  ASSERT_TRUE(fs::exists(folder / "b" / "weights.c"));
  write_bundle(compiled(true, "host"), folder / "b");
  EXPECT_FALSE(fs::exists(folder / "b" / "weights.c"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);  // no draft is left
}

}  // namespace
}  // namespace xgen::bundle
