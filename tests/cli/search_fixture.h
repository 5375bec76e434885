#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "core/sha256.h"
#include "tests/cli/verbs_fixture.h"

namespace xgen::cli {

/// A search, as people write it.
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

/// A search whose candidates are trained on the optical digits, an epoch each.
class DigitsSearchTest : public SearchTest {
 protected:
  void SetUp() override {
    SearchTest::SetUp();
    std::ifstream file(XGEN_SOURCE_DIR "/configs/digits.json");
    json run = json::parse(file);
    run["data"]["path"] = XGEN_SOURCE_DIR "/configs/data/digits.csv.gz";
    run["threads"] = 1;
    run["latency_build_minutes"] = 0;
    run["training"]["checkpoint_every_steps"] = 7;
    run["stages"] = {{{"name", "dense"}, {"kind", "train"}, {"epochs", 1}},
                     {{"name", "ship"}, {"kind", "compile"}}};
    run.erase("requirements");
    std::ofstream(folder_ / "run.json") << run.dump();
  }
  // Changes the config of the run in a place.
  template <class Change>
  void change_run(const Change& change) const {
    std::ifstream file(folder_ / "run.json");
    json run = json::parse(file);
    change(run);
    std::ofstream(folder_ / "run.json") << run.dump();
  }
  // A run that prunes at once and does nothing else.
  void only_prune(int repair_samples = 0) const {
    change_run([&](json& run) {
      run["stages"] = {{{"name", "prune"},
                        {"kind", "prune"},
                        {"rates", {{"conv_macs_divided_by", 2}}},
                        {"algorithm", {{"name", "one_shot"}, {"repair_samples", repair_samples}}},
                        {"fine_tune", {{"epochs", 0}}}}};
    });
  }
  json digits(int trials) const {
    json c = config();
    c["target"] = "host";
    c["space"]["image_channels"] = 1;
    c["run"] = "run.json";
    c["sampler"] = "random";
    c["trials"] = trials;
    return c;
  }
  static std::string hash_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return sha256_hex(std::string(std::istreambuf_iterator<char>(stream), {}));
  }
  std::string search(const json& config) const {
    return "search " + written(config) + " --output " + path("out");
  }
};

}  // namespace xgen::cli
