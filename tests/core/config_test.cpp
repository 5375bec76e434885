#include "core/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "core/config_file.h"
#include "core/config_schema.h"

namespace xgen {
namespace {

struct Training {
  double lr = 0.01;
  std::optional<int> batch_size;

  template <class Visitor>
  void describe(Visitor& v) {
    v.number("lr", lr, {0, std::numeric_limits<double>::infinity()}, "Learning rate.");
    v.number("batch_size", batch_size, {1, 4096}, "Images a step.");
  }
};

struct TrainStage {
  static constexpr const char* kKind = "train";
  std::string name;
  int epochs = 10;
  std::optional<Training> training;

  template <class Visitor>
  void describe(Visitor& v) {
    v.text("name", name, "How the stage is addressed.", Need::required);
    v.number("epochs", epochs, {1, 1000}, "Passes over the data.");
    v.optional_object("training", training, "Overrides.");
  }
};

struct PruneStage {
  static constexpr const char* kKind = "prune";
  std::string name;
  std::optional<double> divide_by;
  std::map<std::string, double> per_layer;

  template <class Visitor>
  void describe(Visitor& v) {
    v.text("name", name, "How the stage is addressed.", Need::required);
    v.number("divide_by", divide_by, {1, 1000}, "Fewer MACs.");
    v.number_map("per_layer", per_layer, {1, 1000}, "Rate of each layer.");
  }
  std::optional<ConfigProblem> problem() const {
    if (divide_by.has_value() != per_layer.empty()) {
      return ConfigProblem{"", "expected exactly one of \"divide_by\", \"per_layer\""};
    }
    return {};
  }
};

struct Layer {
  int width = 1;
  template <class Visitor>
  void describe(Visitor& v) {
    v.number("width", width, {1, std::numeric_limits<int>::max()}, "Filters.");
  }
};

struct Job {
  int version = 1;
  std::int64_t seed = 1;
  std::string device = "cpu";
  bool verbose = false;
  Training training;
  std::vector<double> rho{1e-4, 1e-3};
  std::vector<std::string> exclude;
  std::vector<Layer> layers;
  std::vector<std::variant<TrainStage, PruneStage>> stages;
  std::variant<TrainStage, PruneStage> first;

  template <class Visitor>
  void describe(Visitor& v) {
    v.number("version", version, {1, 1}, "Version of this format.");
    v.number("seed", seed, {0, std::numeric_limits<std::int64_t>::max()}, "Of all randomness.");
    v.choice("device", device, {"cpu", "cuda"}, "Where to train.");
    v.boolean("verbose", verbose, "Say more.");
    v.object("training", training, "Defaults of all stages.");
    v.numbers("rho", rho, {0, 10}, "Schedule.");
    v.texts("exclude", exclude, "Globs.");
    v.objects("layers", layers, "Layers.");
    v.variants("stages", stages, "kind", "What is done, in order.");
    v.variant("first", first, "kind", "One stage.");
  }
};

template <class Read>
std::string message_of(const Read& read) {
  try {
    read();
  } catch (const UserError& error) {
    return error.what();
  }
  return "accepted";
}

std::string rejection(const std::string& json) {
  return message_of([&] { read_config<Job>(parse_config_json(json, "a.json"), "a.json"); });
}

TEST(ConfigReader, NamesThePlaceTheRangeAndTheValue) {
  EXPECT_EQ(rejection(R"({"rho": [0.1, 11]})"),
            "a.json: /rho/1: expected a number in [0, 10], got 11");
  EXPECT_EQ(rejection(R"({"training": {"batch_size": 8.5}})"),
            "a.json: /training/batch_size: expected an integer in [1, 4096], got 8.5");
  EXPECT_EQ(rejection(R"({"training": {"lr": -1}})"),
            "a.json: /training/lr: expected a number of at least 0, got -1");
  EXPECT_EQ(rejection(R"({"training": {"batch_size": 1099511627776}})"),
            "a.json: /training/batch_size: expected an integer in [1, 4096], got 1099511627776");
  EXPECT_EQ(rejection(R"({"seed": -1})"),
            "a.json: /seed: expected an integer of at least 0, got -1");
  EXPECT_EQ(rejection(R"({"seed": 18446744073709551615})"),
            "a.json: /seed: expected an integer of at least 0, got 18446744073709551615");
}

TEST(ConfigReader, NamesWrongTypes) {
  EXPECT_EQ(rejection("[]"), "a.json: /: expected an object, got an array");
  EXPECT_EQ(rejection(R"({"training": []})"),
            "a.json: /training: expected an object, got an array");
  EXPECT_EQ(rejection(R"({"verbose": 1})"), "a.json: /verbose: expected true or false, got 1");
  EXPECT_EQ(rejection(R"({"exclude": "a"})"), R"(a.json: /exclude: expected an array, got "a")");
  EXPECT_EQ(rejection(R"({"exclude": [{}]})"),
            "a.json: /exclude/0: expected a string, got an object");
  EXPECT_EQ(rejection(R"({"training": {"lr": "0.1"}})"),
            R"(a.json: /training/lr: expected a number of at least 0, got "0.1")");
  EXPECT_EQ(rejection(R"({"layers": [{"width": true}]})"),
            "a.json: /layers/0/width: expected an integer of at least 1, got true");
  EXPECT_EQ(rejection(R"({"stages": [{"kind": "prune", "name": null, "divide_by": 2}]})"),
            "a.json: /stages/0/name: expected a string, got null");
}

TEST(ConfigReader, SuggestsTheNearestNameOrListsAll) {
  EXPECT_EQ(rejection(R"({"training": {"batchsize": 8}})"),
            R"(a.json: /training/batchsize: unknown key; did you mean "batch_size"?)");
  EXPECT_EQ(rejection(R"({"training": {"momentum": 8}})"),
            R"(a.json: /training/momentum: unknown key; known keys: "batch_size", "lr")");
  EXPECT_EQ(rejection(R"({"device": "cuba"})"),
            R"(a.json: /device: expected one of "cpu", "cuda", got "cuba"; did you mean "cuda"?)");
  EXPECT_EQ(rejection(R"({"a/b~c": 1, "device": "cpu"})").substr(0, 33),
            "a.json: /a~1b~0c: unknown key; kn");
}

TEST(ConfigReader, TellsFormsApartByTheirTag) {
  EXPECT_EQ(rejection(R"({"stages": [{"name": "x"}]})"),
            "a.json: /stages/0/kind: required key is missing");
  EXPECT_EQ(
      rejection(R"({"stages": [{"kind": "trian", "name": "x"}]})"),
      R"(a.json: /stages/0/kind: expected one of "train", "prune", got "trian"; did you mean )"
      R"("train"?)");
  EXPECT_EQ(
      rejection(R"({"stages": [{"kind": "train", "name": "x"}, {"kind": "prune", "epochs": 3}]})"),
      "a.json: /stages/1/name: required key is missing");
  EXPECT_EQ(rejection(R"({"first": {"kind": "prune", "name": "p", "divide_by": 2, "epoch": 3}})")
                .substr(0, 36),
            "a.json: /first/epoch: unknown key; k");
}

TEST(ConfigReader, AsksTheStructForWhatOneFieldCannotSay) {
  EXPECT_EQ(rejection(R"({"first": {"kind": "prune", "name": "p"}})"),
            R"(a.json: /first: expected exactly one of "divide_by", "per_layer")");
  EXPECT_EQ(rejection(R"({"first": {"kind": "prune", "name": "p", "per_layer": {"a/b": 0}}})"),
            "a.json: /first/per_layer/a~1b: expected a number in [1, 1000], got 0");
}

TEST(ConfigReader, KeepsTheDefaultsOfWhatIsAbsent) {
  const auto job = read_config<Job>(R"({"$schema": "x", "training": {"batch_size": 6},
      "stages": [{"kind": "prune", "name": "p", "per_layer": {"a": 2}}]})"_json,
                                    "a.json");
  EXPECT_EQ(job.training.batch_size, 6);
  EXPECT_EQ(job.training.lr, Training().lr);
  EXPECT_EQ(job.rho, Job().rho);
  ASSERT_EQ(job.stages.size(), 1U);
  EXPECT_EQ(std::get<PruneStage>(job.stages[0]).per_layer.at("a"), 2);
}

TEST(ConfigWriter, WritesWhatTheReaderReadsBack) {
  const nlohmann::json json = R"({"seed": 5, "exclude": ["a*"], "layers": [{"width": 3}],
      "stages": [{"kind": "train", "name": "t", "training": {"lr": 0.5}},
                 {"kind": "prune", "name": "p", "divide_by": 4}]})"_json;
  const nlohmann::ordered_json resolved = write_config(read_config<Job>(json, "a.json"));
  EXPECT_EQ(
      resolved.dump(),
      R"({"version":1,"seed":5,"device":"cpu","verbose":false,"training":{"lr":0.01},)"
      R"("rho":[0.0001,0.001],"exclude":["a*"],"layers":[{"width":3}],"stages":[)"
      R"({"kind":"train","name":"t","epochs":10,"training":{"lr":0.5}},)"
      R"({"kind":"prune","name":"p","divide_by":4.0}],"first":{"kind":"train","name":"","epochs":10}})");
  EXPECT_EQ(write_config(read_config<Job>(nlohmann::json::parse(resolved.dump()), "b.json")),
            resolved);
}

TEST(ConfigFile, NamesLineAndColumnOfASyntaxError) {
  EXPECT_EQ(rejection("{\n  \"seed\": 1,\n  \"rho\" [1]\n}"),
            "a.json:3:9: syntax error while parsing object separator - unexpected '['; "
            "expected ':'");
  EXPECT_EQ(rejection(""),
            "a.json:1:1: syntax error while parsing value - unexpected end of input; expected '[', "
            "'{', or a literal");
  EXPECT_EQ(rejection("{\"seed\": 1e999}").substr(0, 30), "a.json:1:14: number overflow p");
}

TEST(ConfigFile, RefusesADuplicateKey) {
  EXPECT_EQ(rejection(R"({"layers": [{"width": 1}, {"width": 1, "width": 2}]})"),
            "a.json: /layers/1/width: duplicate key");
}

TEST(ConfigFile, NamesAFileThatCannotBeRead) {
  EXPECT_EQ(message_of([] { load_config_json("/nowhere/a.json"); }),
            "/nowhere/a.json: cannot read: No such file or directory");
  const std::string folder = std::filesystem::temp_directory_path().string();
  EXPECT_EQ(message_of([&] { load_config_json(folder); }),
            folder + ": expected a JSON file, got a folder");
}

class ApplyOverride : public testing::Test {
 protected:
  std::string after(const std::string& assignment) {
    nlohmann::json json = R"({"seed": 1, "stages": [{"name": "dense", "epochs": 1},
        {"name": "prune", "fine_tune": {"epochs": 1}}]})"_json;
    apply_override(json, assignment);
    return json.dump();
  }
};

TEST_F(ApplyOverride, AddressesListElementsByNameOrIndex) {
  EXPECT_EQ(after("stages.prune.fine_tune.epochs=3"),
            R"({"seed":1,"stages":[{"epochs":1,"name":"dense"},)"
            R"({"fine_tune":{"epochs":3},"name":"prune"}]})");
  EXPECT_EQ(after("stages.0.epochs=7"), R"({"seed":1,"stages":[{"epochs":7,"name":"dense"},)"
                                        R"({"fine_tune":{"epochs":1},"name":"prune"}]})");
}

TEST_F(ApplyOverride, MakesObjectsAndReadsTheValueAsJsonOrText) {
  EXPECT_EQ(after("data.path=a/b=c"),
            R"({"data":{"path":"a/b=c"},"seed":1,"stages":[{"epochs":1,"name":"dense"},)"
            R"({"fine_tune":{"epochs":1},"name":"prune"}]})");
  nlohmann::json json = nlohmann::json::object();
  apply_override(json, R"(rates.layer1\.0=[1, 2])");
  EXPECT_EQ(json.dump(), R"({"rates":{"layer1.0":[1,2]}})");
}

TEST_F(ApplyOverride, NamesTheStepThatFails) {
  EXPECT_EQ(message_of([&] { after("stages.prun.epochs=3"); }),
            R"(--set stages.prun.epochs=3: /stages has 2 elements and none is called "prun"; did )"
            R"(you mean "prune"?)");
  EXPECT_EQ(message_of([&] { after("stages.2.epochs=3"); }),
            R"(--set stages.2.epochs=3: /stages has 2 elements and none is called "2"; names: )"
            R"("dense", "prune")");
  EXPECT_EQ(message_of([&] { after("seed.x=3"); }),
            R"(--set seed.x=3: /seed is 1 and has no key "x")");
  EXPECT_EQ(message_of([&] { after("seed"); }), "--set seed: expected KEY.KEY=VALUE");
  EXPECT_EQ(message_of([&] { after("a..b=1"); }), "--set a..b=1: expected a key between dots");
}

TEST(SchemaWriter, DescribesEveryFieldOnce) {
  const nlohmann::ordered_json schema = schema_of<Job>("xgen run");
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  const auto& properties = schema["properties"];
  EXPECT_EQ(properties["training"].dump(),
            R"({"type":"object","additionalProperties":false,"properties":{"lr":{"type":"number",)"
            R"("minimum":0.0,"default":0.01,"description":"Learning rate."},"batch_size":{)"
            R"("type":"integer","minimum":1,"maximum":4096,"description":"Images a step."}},)"
            R"("description":"Defaults of all stages."})");
  EXPECT_EQ(properties["device"]["enum"].dump(), R"(["cpu","cuda"])");
  EXPECT_EQ(properties["layers"]["items"]["properties"]["width"]["minimum"], 1);
  const auto& forms = properties["stages"]["items"]["oneOf"];
  ASSERT_EQ(forms.size(), 2U);
  EXPECT_EQ(forms[1]["properties"]["kind"]["const"], "prune");
  EXPECT_EQ(forms[1]["required"].dump(), R"(["kind","name"])");
  EXPECT_EQ(forms[1]["properties"]["per_layer"]["additionalProperties"]["type"], "number");
}

TEST(Markdown, HasASectionForEachObject) {
  const std::string page = markdown_of(schema_of<Job>("xgen run"), "One file describes a job.");
  EXPECT_THAT(page, testing::StartsWith("# xgen run\n\nOne file describes a job.\n\n## The whole "
                                        "file\n\n| key | type | default | meaning |\n|---|---|"));
  EXPECT_THAT(page, testing::HasSubstr("\n## `stages[]` with `kind`: `\"prune\"`\n"));
  EXPECT_THAT(page, testing::HasSubstr("| `lr` | number >= 0.0 | `0.01` | Learning rate. |\n"));
  EXPECT_THAT(page, testing::HasSubstr("| `name` | string | required | How the stage is addr"));
  EXPECT_THAT(page, testing::HasSubstr("| `rho` | list of number in [0.0, 10.0] | "));
}

}  // namespace
}  // namespace xgen
