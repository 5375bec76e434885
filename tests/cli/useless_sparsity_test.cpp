#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "tests/cli/verbs_fixture.h"

/// Law 1: zeros that save nothing end dense, with the reason in the explanation.
namespace xgen::cli {
namespace {

using ::testing::HasSubstr;

class UselessSparsity : public VerbsFixture {
 protected:
  static constexpr int kChannels = 32, kTaps = 9;

  // x [1, 32, 16, 16] -> 3x3 convolution -> y; `zero` says which weights are 0. Writes model.onnx.
  void model(const std::function<bool(int filter, int channel, int tap)>& zero,
             const json& mask = nullptr) {
    input("x", {1, kChannels, 16, 16});
    test::RandomTensors random(1);
    const ir::Constant w = random.f32({kChannels, kChannels, 3, 3}, 0.5F, 1);
    std::vector<float> values(w.as<float>().begin(), w.as<float>().end());
    for (int i = 0; i < std::ssize(values); ++i) {
      if (zero(i / (kChannels * kTaps), i / kTaps % kChannels, i % kTaps))
        values[static_cast<std::size_t>(i)] = 0;
    }
    floats("w", {kChannels, kChannels, 3, 3}, values);
    set(node("Conv", "conv", {"x", "w"}, "y"), "pads", std::vector<std::int64_t>{1, 1, 1, 1});
    output("y");
    if (!mask.is_null()) {
      auto* entry = model_.add_metadata_props();
      entry->set_key("xgen.sparsity");
      entry->set_value(json{{"w", mask}}.dump());
    }
    write(bytes());
  }
  // The convolution's row of the explanation.
  json conv_of(const std::string& options) {
    const Said said = run(compile_line() + " --explain --json " + options);
    EXPECT_EQ(said.code, 0) << said.err;
    const json compiled = said.parsed();
    for (const json& step : compiled["explain"]["steps"]) {
      if (step["name"] == "conv") return step;
    }
    return {};
  }
};

// 30 % of single weights.
bool is_single(int filter, int channel, int tap) {
  return (9 * (32 * filter + channel) + tap) % 10 < 3;
}

TEST_F(UselessSparsity, SingleZerosWithoutAMaskAreMultiplied) {
  model(is_single);
  const json conv = conv_of("--no-measure");
  EXPECT_EQ(conv["scheme"], "dense");
  EXPECT_EQ(conv["macs"], conv["dense_macs"]);
  EXPECT_EQ(
      conv["why"],
      "dense: 30 % of its weights are 0, but no mask says that they stay so, and kernels skip "
      "blocks of filters x channels");
}

TEST_F(UselessSparsity, SingleZerosOfAMaskAreMultiplied) {
  json kept = json::array(), patterns = json::array();
  std::map<int, int> known;
  for (int f = 0; f < kChannels; ++f) {
    for (int c = 0; c < kChannels; ++c) {
      int bits = 0;
      for (int tap = 0; tap < kTaps; ++tap) bits |= is_single(f, c, tap) ? 0 : 1 << tap;
      const auto [at, is_new] = known.emplace(bits, std::ssize(known));
      if (is_new) patterns.push_back(bits);
      kept.push_back(at->second);
    }
  }
  model(is_single, {{"scheme", "unstructured"},
                    {"group_out", 1},
                    {"lane_channels", 1},
                    {"patterns", patterns},
                    {"kept", kept}});
  const json conv = conv_of("--no-measure");
  EXPECT_EQ(conv["scheme"], "dense");
  EXPECT_EQ(conv["macs"], conv["dense_macs"]);
  EXPECT_EQ(conv["why"],
            "dense: no kernel skips the zeros of scheme unstructured, groups of 1 filters x 1 "
            "channels");
}

// A tenth of the blocks of one filter and one channel: a kernel that reads a list for each filter
// loses more than a tenth against the dense one, which reads its input once for several filters.
TEST_F(UselessSparsity, ATenthOfSmallBlocksIsMultiplied) {
  const auto dropped = [](int filter, int channel) { return (filter * 3 + channel) % 10 == 0; };
  json kept = json::array();
  for (int f = 0; f < kChannels; ++f) {
    for (int c = 0; c < kChannels; ++c) kept.push_back(dropped(f, c) ? -1 : 0);
  }
  model([&](int f, int c, int) { return dropped(f, c); }, {{"scheme", "block"},
                                                           {"group_out", 1},
                                                           {"lane_channels", 1},
                                                           {"patterns", {511}},
                                                           {"kept", kept}});
  for (const char* target : {"host", "aarch64"}) {
    const json conv = conv_of(std::string("--target ") + target);
    EXPECT_EQ(conv["scheme"], "dense") << target;
    EXPECT_EQ(conv["macs"], conv["dense_macs"]) << target;
    EXPECT_THAT(conv["why"].get<std::string>(),
                ::testing::MatchesRegex(
                    target == std::string("host")
                        ? "dense: its pruned kernel took [0-9.]+ us, the dense one [0-9.]+ us"
                        : "dense: its pruned kernel is predicted to take [0-9.]+ us, the dense one "
                          "[0-9.]+ us"))
        << target;
  }
}

// The counterpart, so that the rule is not just "dense".
TEST_F(UselessSparsity, HalfOfTheBlocksThatAKernelSkipsIsNot) {
  constexpr int kGroup = 8;
  const auto dropped = [](int group, int channel) { return (group + channel) % 2 == 0; };
  json kept = json::array();
  for (int group = 0; group < kChannels / kGroup; ++group) {
    for (int c = 0; c < kChannels; ++c) kept.push_back(dropped(group, c) ? -1 : 0);
  }
  model([&](int f, int c, int) { return dropped(f / kGroup, c); }, {{"scheme", "block"},
                                                                    {"group_out", kGroup},
                                                                    {"lane_channels", 1},
                                                                    {"patterns", {511}},
                                                                    {"kept", kept}});
  for (const char* target : {"host", "aarch64"}) {
    const json conv = conv_of(std::string("--target ") + target);
    EXPECT_EQ(conv["scheme"], "block") << target;
    EXPECT_EQ(2 * conv["macs"].get<int>(), conv["dense_macs"].get<int>()) << target;
    EXPECT_THAT(conv["why"].get<std::string>(), HasSubstr("times as fast as dense")) << target;
  }
}

}  // namespace
}  // namespace xgen::cli
