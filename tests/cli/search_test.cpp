#include <map>

#include "tests/cli/verbs_fixture.h"

namespace xgen::cli {
namespace {

class SearchTest : public VerbsFixture {
 protected:
  // A space of nine networks for images of 8x8.
  json config() const {
    return {{"version", 1},
            {"name", "tiny"},
            {"target", "x86_64"},
            {"space",
             {{"kind", "macro"},
              {"image_size", 8},
              {"stem_channels", 8},
              {"head_channels", 16},
              {"stages", {{{"channels", 8}, {"blocks", 2}, {"stride", 2}}}},
              {"blocks", {"identity", "mb1_k3", "mb3_k5"}}}}};
  }
  std::string written(const json& config) const {
    std::ofstream(folder_ / "s.json") << config.dump();
    return path("s.json");
  }
};

TEST_F(SearchTest, SpacePrintsSamplesWithWhatTheyCost) {
  const std::string space = "search space " + written(config()) + " --sample 30";
  const json result = run(space + " --json").parsed();
  EXPECT_EQ(result["candidates"], 9);
  EXPECT_EQ(result["parameters"], json({"block1", "block2"}));
  ASSERT_EQ(result["samples"].size(), 30U);
  std::map<std::string, json> by_choices;
  for (const json& sample : result["samples"]) {
    EXPECT_GT(sample["latency_ms"], 0);
    EXPECT_LT(sample["low_ms"], sample["high_ms"]);
    by_choices[sample["choices"].dump()] = sample;
  }
  ASSERT_GE(by_choices.size(), 5U);
  // 8x8 to 4x4: stem, the 1x1 that takes the first block's place, head, classifier.
  const json& smallest = by_choices.at("[\"identity\",\"identity\"]");
  EXPECT_EQ(smallest["macs"], 64 * 27 * 8 + 16 * 8 * 8 + 16 * 8 * 16 + 16 * 10);
  for (const auto& [choices, sample] : by_choices)
    EXPECT_GE(sample["macs"], smallest["macs"]) << choices;
  const Said said = run(space);
  EXPECT_NE(said.out.find("9 candidates\n"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("identity"), std::string::npos) << said.out;
}

TEST_F(SearchTest, SpaceNamesWhatIsWrong) {
  json wrong = config();
  wrong["space"]["blocks"][1] = "mb12_k3";
  EXPECT_EQ(refusal("search space " + written(wrong)),
            shown("s.json") +
                ": /space/blocks: expected \"identity\" or a block like \"mb3_k5\" (expansion 1 to "
                "9, kernel 1, 3, 5 or 7), got \"mb12_k3\"");
  wrong = config();
  wrong["latency_table"] = "none.json";
  EXPECT_NE(refusal("search space " + written(wrong)).find("none.json"), std::string::npos);
}

}  // namespace
}  // namespace xgen::cli
