#include "search/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/config_file.h"
#include "tests/support/message.h"

namespace xgen::search {
namespace {

using nlohmann::json;

const std::string& file() {
  static const std::string file =
      std::string(XGEN_SOURCE_DIR) + "/configs/search/mobile_fashion.json";
  return file;
}

SearchConfig read(const json& from) {
  SearchConfig config;
  ConfigReader(from, "s.json").read(config);
  return config;
}

// Of the example with another value at a place.
std::string message_with(const std::string& pointer, const json& value) {
  json config = load_config_json(file());
  config[json::json_pointer(pointer)] = value;
  return test::message_of([&] { read(config); });
}

TEST(SearchConfig, OfTheExampleIsRead) {
  const SearchConfig config = read(load_config_json(file()));
  EXPECT_EQ(std::get<MacroSpace>(config.space).space().size(), 15625);
  EXPECT_EQ(config.sampler, "bayesian");
}

TEST(SearchConfig, OfEveryCommittedFileIsRead) {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(XGEN_SOURCE_DIR) + "/configs/search")) {
    const json config = load_config_json(entry.path());
    EXPECT_NE(read(config).name, "") << entry.path();
    EXPECT_EQ(config.value("$schema", ""), "../schema/search.schema.json") << entry.path();
    ++count;
  }
  EXPECT_GE(count, 2);
}

TEST(SearchConfig, RefusesObjectivesAndSamplersThatThereAreNot) {
  EXPECT_EQ(message_with("/objectives", json::array()),
            "s.json: /objectives: expected at least one objective");
  EXPECT_EQ(message_with("/objectives/1", "latency"),
            "s.json: /objectives: expected one of \"error\", \"latency_ms\", \"size_bytes\", "
            "\"peak_bytes\", got \"latency\"");
  EXPECT_EQ(message_with("/objectives/1", "error"),
            "s.json: /objectives: \"error\" stands there twice");
  EXPECT_EQ(message_with("/sampler", "tpe"),
            "s.json: /sampler: expected one of \"random\", \"evolution\", \"bayesian\", got "
            "\"tpe\"");
}

TEST(SearchConfig, RefusesASensitivityThatNobodyLooksAt) {
  json config =
      load_config_json(std::string(XGEN_SOURCE_DIR) + "/configs/search/resnet20_compression.json");
  config["sampler"] = "evolution";
  EXPECT_EQ(test::message_of([&] { read(config); }),
            "s.json: /sampler: expected \"bayesian\", which alone looks at "
            "compression.sensitivity, got \"evolution\"");
}

TEST(SearchConfig, RefusesSpacesThatHaveNoNetwork) {
  EXPECT_EQ(message_with("/space/blocks", json::array()),
            "s.json: /space/blocks: expected at least one block");
  EXPECT_EQ(message_with("/space/stages", json::array()),
            "s.json: /space/stages: expected at least one stage");
  EXPECT_EQ(
      message_with("/space/blocks/1", "mb3_k4"),
      "s.json: /space/blocks: expected \"identity\" or a block like \"mb3_k5\" (expansion 1 to "
      "9, kernel 1, 3, 5 or 7), got \"mb3_k4\"");
  EXPECT_EQ(message_with("/space/blocks/1", "identity"),
            "s.json: /space/blocks: \"identity\" stands there twice");
  EXPECT_EQ(message_with("/space/stages/0/channels", 0),
            "s.json: /space/stages/0/channels: expected an integer in [1, 65536], got 0");
  EXPECT_EQ(message_with("/space/kind", "makro"),
            "s.json: /space/kind: expected one of \"macro\", \"model\", \"resnet\", \"vgg\", got "
            "\"makro\"; did you mean \"macro\"?");
}

}  // namespace
}  // namespace xgen::search
