#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "codegen/latency/single_layer.h"
#include "core/ir/infer_shapes.h"
#include "tests/support/compiled_graph.h"

/// Every kernel family besides convolutions, against the reference.
namespace xgen::lower {
namespace {

using ir::ValueId;

ir::QuantParams quant(float scale, int zero) { return {{scale}, {zero}, -1}; }

// A graph whose values are f32, or u8 with scales of their own.
class Net {
 public:
  explicit Net(bool integer) : integer_(integer) { graph_.name = "net"; }

  ValueId input(ir::Shape shape, float scale = 0.02F, int zero = 7) {
    const ValueId id =
        graph_.add_input(str("x", graph_.inputs().size()),
                         {integer_ ? ir::DType::u8 : ir::DType::f32, std::move(shape), {}});
    if (integer_) graph_.value(id).type.quant = quant(scale, zero);
    return id;
  }
  ValueId node(ir::Op op, std::vector<ValueId> inputs, float scale = 0.05F, int zero = 31) {
    const ValueId id =
        graph_.add_node(str("n", graph_.nodes().size()), std::move(op), std::move(inputs));
    if (integer_) {
      graph_.value(id).type.dtype = ir::DType::u8;
      graph_.value(id).type.quant = quant(scale, zero);
    }
    return id;
  }
  // A node which keeps the scale of its first input.
  ValueId moved(ir::Op op, std::vector<ValueId> inputs) {
    const ValueId from = inputs[0], id = node(std::move(op), std::move(inputs));
    graph_.value(id).type.quant = graph_.value(from).type.quant;
    return id;
  }
  ValueId integers(std::vector<std::int64_t> values) {
    const ir::Extents shape{static_cast<std::int64_t>(values.size())};
    return graph_.add_constant("c", ir::Constant::of<std::int64_t>(shape, values));
  }
  ValueId constant(ir::Constant c) { return graph_.add_constant("c", std::move(c)); }
  Program check(std::vector<ValueId> outputs) {
    graph_.set_outputs(std::move(outputs));
    return test::expect_agreement(ir::infer_shapes(graph_));
  }

 private:
  ir::Graph graph_;
  bool integer_;
};

class Families : public ::testing::TestWithParam<bool> {};

TEST_P(Families, MaxPool) {
  Net net(GetParam());
  const ValueId x = net.input({1, 6, 13, 15});
  ir::MaxPool plain, padded, ceil, wide;
  plain.kernel = plain.strides = {2, 2};
  padded.kernel = {3, 3}, padded.strides = {2, 2}, padded.pads = {1, 1, 1, 1};
  ceil.kernel = {3, 3}, ceil.strides = {2, 2}, ceil.ceil_mode = true;
  wide.kernel = {5, 5}, wide.pads = {2, 2, 2, 2};
  net.check(
      {net.moved(plain, {x}), net.moved(padded, {x}), net.moved(ceil, {x}), net.moved(wide, {x})});
}

// Windows of several vectors, of part of one, farther apart than two lanes and with gaps.
TEST_P(Families, PoolsOfAllWidths) {
  for (const int width : {3, 8, 21, 33, 75}) {
    Net net(GetParam());
    const ValueId x = net.input({1, 5, 7, width});
    std::vector<ValueId> pools;
    const auto add = [&](auto pool) {
      pool.kernel = {3, 3}, pool.pads = {1, 1, 1, 1};
      pools.push_back(net.moved(pool, {x}));
      pool.kernel = {2, 2}, pool.dilations = {2, 2}, pool.pads = {0, 1, 0, 0};
      pools.push_back(net.moved(pool, {x}));
    };
    for (const int stride : {1, 2, 3}) {
      ir::MaxPool largest;
      ir::AveragePool mean, counted;
      largest.strides = mean.strides = counted.strides = {stride, stride};
      counted.count_include_pad = true;
      add(largest);
      add(mean);
      add(counted);
    }
    net.check(pools);
  }
}

TEST_P(Families, PoolsDownToOnePosition) {
  Net net(GetParam());
  const ValueId x = net.input({1, 6, 3, 2});
  ir::MaxPool corner;
  corner.kernel = corner.strides = {2, 2};
  ir::AveragePool mean;
  mean.kernel = mean.strides = {2, 2};
  const ValueId largest = net.moved(corner, {x});
  net.check({net.moved(ir::Flatten{}, {largest}), largest, net.node(mean, {x})});
}

TEST_P(Families, AveragePool) {
  Net net(GetParam());
  const ValueId x = net.input({1, 6, 12, 14});
  ir::AveragePool plain, excluded, counted;
  plain.kernel = plain.strides = {2, 2};
  excluded.kernel = {3, 3}, excluded.pads = {1, 1, 1, 1};
  counted = excluded;
  counted.count_include_pad = true;
  net.check({net.node(plain, {x}), net.node(excluded, {x}), net.node(counted, {x}),
             net.node(ir::GlobalAveragePool{}, {x})});
}

TEST_P(Families, AddOfDifferentScales) {
  Net net(GetParam());
  const ValueId a = net.input({1, 7, 9, 20}), b = net.input({1, 7, 9, 20}, 0.03F, 120);
  net.check({net.node(ir::Binary{}, {a, b})});
}

TEST_P(Families, FunctionsOfOneValue) {
  Net net(GetParam());
  const ValueId x = net.input({1, 5, 16, 43});  // all values of a byte
  std::vector<ValueId> outputs;
  using K = ir::Unary::Kind;
  for (const K kind : {K::relu, K::leaky_relu, K::clip, K::sigmoid, K::tanh, K::silu,
                       K::hard_sigmoid, K::hard_swish, K::exp, K::neg, K::abs, K::erf}) {
    ir::Unary unary{kind};
    unary.alpha = 0.2F;
    unary.beta = 0.5F;
    if (kind == K::clip) unary.low = -0.5F, unary.high = 0.7F;
    outputs.push_back(net.node(unary, {x}, 0.01F, 90));
  }
  net.check(outputs);
}

TEST_P(Families, ConcatIsWrittenByItsProducers) {
  Net net(GetParam());
  const ValueId a = net.input({1, 8, 6, 10}), b = net.input({1, 8, 6, 10});
  ir::MaxPool pool;
  pool.kernel = {3, 3}, pool.pads = {1, 1, 1, 1};
  const ValueId y = net.moved(ir::Concat{}, {net.moved(pool, {a}), net.moved(pool, {b}), a});
  const Program program = net.check({net.moved(pool, {y})});
  // The pools write into the stack; only the graph's input is copied.
  const auto copies = std::count_if(program.steps.begin(), program.steps.end(),
                                    [](const Step& s) { return s.kernel == "copy_planes"; });
  EXPECT_EQ(copies, 1);
}

TEST_P(Families, ConcatOfOtherScalesAtAllWidths) {
  for (const int width : {3, 8, 21, 33}) {
    Net net(GetParam());
    const ValueId a = net.input({1, 8, 5, width}, 0.04F, 50), b = net.input({1, 8, 5, width});
    ir::MaxPool pool;
    pool.kernel = {3, 3}, pool.pads = {1, 1, 1, 1};
    const ValueId y = net.node(ir::Concat{}, {net.moved(pool, {a}), b, a});
    net.check({net.moved(pool, {y}), y});
  }
}

TEST_P(Families, ConcatOfChannelsThatFillNoLane) {
  Net net(GetParam());
  const ValueId a = net.input({1, 3, 6, 10}), b = net.input({1, 6, 6, 10}, 0.04F, 50);
  ir::MaxPool pool;
  pool.kernel = {3, 3}, pool.pads = {1, 1, 1, 1};
  const ValueId y = net.node(ir::Concat{}, {net.moved(pool, {a}), net.moved(pool, {b})});
  net.check({net.moved(pool, {y}), y});
}

TEST_P(Families, ReadersOfAStackWhoseChannelsFillNoLane) {
  Net net(GetParam());
  const ValueId a = net.input({1, 3, 6, 10}), b = net.input({1, 6, 6, 10}),
                c = net.input({1, 9, 6, 10}, 0.03F, 40);
  ir::MaxPool pool;
  pool.kernel = {3, 3}, pool.pads = {1, 1, 1, 1};
  const ValueId stack = net.moved(ir::Concat{}, {net.moved(pool, {a}), net.moved(pool, {b})});
  const ValueId sum = net.node(ir::Binary{}, {stack, c}, 0.05F, 60);
  net.check(
      {net.node(ir::GlobalAveragePool{}, {stack}), sum, net.node(ir::Unary{}, {stack}), stack});
}

TEST_P(Families, ResizeNearest) {
  Net net(GetParam());
  const ValueId x = net.input({1, 5, 6, 7});
  ir::Resize resize;
  resize.coordinates = ir::Resize::Coordinates::asymmetric;
  resize.nearest = ir::Resize::Nearest::floor;
  const ValueId scales = net.constant(ir::Constant::of<float>({4}, {1, 1, 2, 2}));
  net.check({net.moved(resize, {x, ir::kNoValue, scales})});
}

TEST_P(Families, SlicesAndPadsOfImages) {
  Net net(GetParam());
  const ValueId x = net.input({1, 8, 12, 14});
  const ValueId strided = net.moved(ir::Slice{}, {x, net.integers({0, 1}), net.integers({100, 100}),
                                                  net.integers({2, 3}), net.integers({2, 2})});
  const ValueId channels =
      net.moved(ir::Slice{}, {x, net.integers({4}), net.integers({8}), net.integers({1})});
  const ValueId odd =
      net.moved(ir::Slice{}, {x, net.integers({3}), net.integers({6}), net.integers({1})});
  const ValueId padded = net.moved(ir::Pad{}, {strided, net.integers({0, 4, 0, 0, 0, 4, 0, 0})});
  const ValueId around = net.moved(ir::Pad{}, {x, net.integers({0, 0, 1, 2, 0, 0, 0, 3})});
  net.check({strided, channels, odd, padded, around});
}

TEST_P(Families, EverySecondPositionOfRowsOfAllWidths) {
  for (const int width : {2, 5, 17, 32, 33, 70}) {
    Net net(GetParam());
    const ValueId x = net.input({1, 6, 5, width});
    net.check({net.moved(ir::Slice{}, {x, net.integers({0, 0}), net.integers({100, 100}),
                                       net.integers({2, 3}), net.integers({2, 2})})});
  }
}

// Parts of a stack may end in the middle of a lane.
TEST_P(Families, EverySecondPositionOfAStackStaysInPlanes) {
  Net net(GetParam());
  const ValueId x = net.input({1, 6, 8, 10});
  ir::MaxPool one;
  one.kernel = {1, 1};
  const ValueId stack = net.moved(ir::Concat{1}, {x, net.moved(one, {x})});
  const Program program =
      net.check({net.moved(ir::Slice{}, {stack, net.integers({0, 0}), net.integers({100, 100}),
                                         net.integers({2, 3}), net.integers({2, 2})})});
  EXPECT_EQ(program.kernels().count("move"), 0U);
}

TEST_P(Families, MovesOfRowMajorTensors) {
  Net net(GetParam());
  const ValueId x = net.input({1, 6, 4, 5});
  const ValueId flat = net.moved(ir::Transpose{{0, 2, 3, 1}}, {x});
  const ValueId rows = net.moved(ir::Reshape{}, {flat, net.integers({1, 20, 6})});
  const ValueId again = net.moved(ir::Concat{1}, {rows, rows});
  const ValueId picked = net.moved(ir::Gather{2}, {rows, net.integers({5, 0, 0})});
  net.check({again, picked, net.moved(ir::Flatten{}, {x})});
}

INSTANTIATE_TEST_SUITE_P(, Families, ::testing::Bool(),
                         [](const auto& p) { return p.param ? "int8" : "fp32"; });

TEST(FamiliesFp32, BinaryOverPlanesAndPerChannel) {
  Net net(false);
  const ValueId a = net.input({1, 5, 8, 9}), b = net.input({1, 5, 8, 9}),
                c = net.input({1, 5, 1, 1});
  std::vector<ValueId> outputs;
  using K = ir::Binary::Kind;
  for (const K kind : {K::add, K::sub, K::mul, K::max, K::min})
    outputs.push_back(net.node(ir::Binary{kind}, {a, b}));
  outputs.push_back(net.node(ir::Binary{K::mul}, {a, c}));
  outputs.push_back(net.node(ir::Binary{K::mul}, {c, a}));
  outputs.push_back(net.node(
      ir::Binary{K::sub}, {a, net.constant(ir::Constant::of<float>({5, 1, 1}, {1, 2, 3, 4, 5}))}));
  outputs.push_back(net.node(ir::Binary{K::div}, {a, net.constant(ir::Constant::scalar(3.0F))}));
  net.check(outputs);
}

TEST(FamiliesFp32, SoftmaxReduceAndMatMul) {
  Net net(false);
  const ValueId a = net.input({1, 6, 5}), b = net.input({1, 5, 7});
  const ValueId product = net.node(ir::MatMul{}, {a, b});
  net.check({net.node(ir::Softmax{-1}, {product}), net.node(ir::Softmax{1}, {a}),
             net.node(ir::Reduce{}, {product, net.integers({1})}),
             net.node(ir::Reduce{ir::Reduce::Kind::max}, {product, net.integers({2})})});
}

// Rows narrower than a vector, of whole vectors, and with a rest; channels that do not fill a lane.
TEST(FamiliesInt8, QuantizesAnInputIntoPlanes) {
  for (const int width : {5, 16, 37}) {
    ir::Graph graph;
    graph.name = "net";
    const ValueId x = graph.add_input("x", {ir::DType::f32, ir::Shape{1, 5, 3, width}, {}});
    const ValueId scale = graph.add_constant("scale", ir::Constant::scalar(0.01F)),
                  zero = graph.add_constant("zero", ir::Constant::scalar(std::uint8_t{90}));
    const ValueId q = graph.add_node("q", ir::QuantizeLinear{}, {x, scale, zero});
    ir::MaxPool pool;
    pool.kernel = {2, 2}, pool.strides = {1, 1};
    const ValueId y = graph.add_node("pool", pool, {q});
    for (const ValueId id : {q, y}) {
      graph.value(id).type.dtype = ir::DType::u8;
      graph.value(id).type.quant = quant(0.01F, 90);
    }
    graph.set_outputs({y});
    const Program program = test::expect_agreement(ir::infer_shapes(graph));
    EXPECT_EQ(program.steps.front().kernel, "pack_i8") << width;
  }
}

TEST(FamiliesInt8, DequantizesPlanesIntoAnOutput) {
  for (const int width : {5, 16, 37}) {
    ir::Graph graph;
    graph.name = "net";
    const ValueId x = graph.add_input("x", {ir::DType::u8, ir::Shape{1, 6, 5, width}, {}});
    ir::MaxPool pool;
    pool.kernel = {2, 2}, pool.strides = {1, 1};
    const ValueId y = graph.add_node("pool", pool, {x});
    for (const ValueId id : {x, y}) {
      graph.value(id).type.dtype = ir::DType::u8;
      graph.value(id).type.quant = quant(0.01F, 90);
    }
    const ValueId scale = graph.add_constant("scale", ir::Constant::scalar(0.01F)),
                  zero = graph.add_constant("zero", ir::Constant::scalar(std::uint8_t{90}));
    graph.set_outputs({graph.add_node("real", ir::DequantizeLinear{}, {y, scale, zero}), y});
    const Program program = test::expect_agreement(ir::infer_shapes(graph));
    const auto unpacked = std::count_if(program.steps.begin(), program.steps.end(),
                                        [](const Step& s) { return s.kernel == "unpack_i8"; });
    EXPECT_EQ(unpacked, 2) << width;
  }
}

TEST(FamiliesFp32, ResizeLinear) {
  Net net(false);
  const ValueId x = net.input({1, 3, 5, 6});
  ir::Resize resize;
  resize.mode = ir::Resize::Mode::linear;
  const ValueId scales = net.constant(ir::Constant::of<float>({4}, {1, 1, 2, 3}));
  ir::Resize corners = resize;
  corners.coordinates = ir::Resize::Coordinates::align_corners;
  net.check(
      {net.node(resize, {x, ir::kNoValue, scales}), net.node(corners, {x, ir::kNoValue, scales})});
}

// Subnormal results would take a processor a hundred cycles each.
TEST(FamiliesFp32, FunctionsOfLargeNumbersGiveNormalOnes) {
  for (const auto kind : {ir::Unary::Kind::sigmoid, ir::Unary::Kind::exp}) {
    ir::Graph graph;
    const ir::Shape shape{1, 2, 3, 4};
    const ValueId x = graph.add_input("x", {ir::DType::f32, shape, {}});
    graph.set_outputs({graph.add_node("y", ir::Unary{kind}, {x})});
    std::vector<std::string> isas;
    for (const kernels::Isa* isa : kernels::host_isas()) isas.emplace_back(isa->name);
    HostModel model = HostModel::build(lower(ir::infer_shapes(graph), {}), isas);
    for (const std::string& isa : isas) {
      model.select(isa);
      for (const float value : {-1e30F, -88.0F, -87.0F, 87.0F, 88.0F, 1e30F}) {
        const auto y =
            model.run({ir::Constant::of<float>({1, 2, 3, 4}, std::vector<float>(24, value))});
        for (const float got : y[0].as<float>()) EXPECT_TRUE(std::isnormal(got)) << isa << value;
      }
    }
  }
}

// Memory that ends with a page nobody may touch.
class Guarded {
 public:
  explicit Guarded(const TensorInfo& t)
      : bytes_(static_cast<std::size_t>(ir::element_count(t.shape)) * ir::size_of(t.dtype)),
        page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
        room_((bytes_ + page_ - 1) / page_ * page_),
        memory_(static_cast<char*>(mmap(nullptr, room_ + page_, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    mprotect(memory_ + room_, page_, PROT_NONE);
  }
  ~Guarded() { munmap(memory_, room_ + page_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  void* data() const { return memory_ + room_ - bytes_; }

 private:
  std::size_t bytes_, page_, room_;
  char* memory_;
};

// Vectors that run over the ends of rows stay inside the caller's tensors.
TEST_P(Families, TouchesNothingBehindTheCallersTensors) {
  std::vector<std::string> isas;
  for (const kernels::Isa* isa : kernels::host_isas()) isas.emplace_back(isa->name);
  for (const int stride : {1, 2}) {
    for (const int width : {1, 3, 16, 41}) {
      LayerShape s;
      s.c_in = 6, s.c_out = 5, s.kernel_h = s.kernel_w = 3, s.height = 4, s.width = width;
      s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = 1;
      s.stride = stride, s.int8 = GetParam();
      HostModel model = HostModel::build(lower(latency::single_layer(s, {}), {}), isas);
      const Guarded in(model.inputs()[0]), out(model.outputs()[0]);
      const void* inputs[] = {in.data()};
      void* outputs[] = {out.data()};
      for (const std::string& isa : isas) {
        model.select(isa);
        model.run_raw(inputs, outputs);
      }
    }
  }
}

TEST(Lower, RefusesWithTheNodeAndTheReason) {
  ir::Graph graph;
  const ValueId x = graph.add_input("x", {ir::DType::f32, ir::Shape{2, 3, 4}, {}});
  const ValueId i = graph.add_input("i", {ir::DType::i64, ir::Shape{2}, {}});
  graph.set_outputs({graph.add_node("pick", ir::Gather{1}, {x, i})});
  try {
    lower(ir::infer_shapes(graph), {});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(), "node \"pick\" (Gather): indices must be constant");
  }
}

}  // namespace
}  // namespace xgen::lower
