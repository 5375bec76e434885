#include <regex>

#include "core/config.h"
#include "search/config.h"
#include "search/sql_study.h"
#include "tests/cli/verbs_fixture.h"
#include "tests/support/temporary_folder.h"

namespace xgen::cli {
namespace {

// What a trial of the tests found: error, latency, size.
struct Found {
  std::vector<double> objectives;
  std::string failed;    // else the reason
  json report = json();  // of the run, where it is kept
};

// A search of nine candidates, of which trial n is candidate n; nothing is trained.
class StudyVerbs : public VerbsFixture {
 protected:
  void SetUp() override {
    VerbsFixture::SetUp();
    write_config(config());
  }
  static json config() {
    return {{"version", 1},
            {"name", "tiny"},
            {"target", "x86_64"},
            {"sampler", "random"},
            {"trials", 9},
            {"objectives", {"error", "latency_ms", "size_bytes"}},
            {"requirements", {{"latency_ms_max", 0.5}}},
            {"space",
             {{"kind", "macro"},
              {"image_size", 8},
              {"stem_channels", 8},
              {"head_channels", 16},
              {"stages", {{{"channels", 8}, {"blocks", 2}, {"stride", 2}}}},
              {"blocks", {"identity", "mb1_k3", "mb3_k5"}}}}};
  }
  void write_config(const json& config) const {
    std::ofstream(folder_ / "s.json") << config.dump();
  }
  // Trials of the search in folder `out`, and one that is under way where `running` says so.
  void make_study(const std::vector<Found>& trials, bool running = false) const {
    auto read = read_config<search::SearchConfig>(config(), "s.json");
    const auto study = search::create_study(
        shown("out/study.db"), {read.name, ConfigWriter::written(read).at("space").dump(),
                                read.objectives, read.sampler, read.seed, read.in_flight});
    for (int i = 0; i < static_cast<int>(trials.size()) + (running ? 1 : 0); ++i) {
      study->add(i, {i / 3, i % 3}, 0, "here:1");
      if (i == static_cast<int>(trials.size())) return;
      const Found& found = trials[static_cast<std::size_t>(i)];
      if (!found.report.is_null()) study->keep(i, "here:1", {{"report", found.report.dump()}});
      if (found.failed.empty())
        study->finish(i, "here:1", found.objectives);
      else
        study->fail(i, "here:1", found.failed);
    }
  }
  // Two that none dominates, one dominated, one too slow, one that failed.
  static std::vector<Found> five() {
    return {{{30, 0.1, 1000}, ""},
            {{10, 0.4, 5000}, ""},
            {{}, "loss is NaN in step 3 <b> (exit code 2)"},
            {{20, 0.4, 5000}, ""},
            {{5, 0.75, 9000}, ""}};
  }
  std::string verb(const std::string& name, const std::string& more = "") const {
    return "search " + name + " " + path("s.json") + " -o " + path("out") + " " + more;
  }
  std::string text_of(const std::string& name) const { return test::contents(folder_ / name); }
};

TEST_F(StudyVerbs, BestPrintsWhatNoneDominatesTheLeastErrorFirst) {
  make_study(five());
  fs::create_directories(folder_ / "out/trials/1/run");
  const json result = run(verb("best", "--json")).parsed();
  EXPECT_EQ(result["finished"], 4);
  EXPECT_EQ(result["beyond_requirements"], 1);
  ASSERT_EQ(result["best"].size(), 2U);
  json first = result["best"][0];
  EXPECT_GT(first["predicted_ms"], 0);
  first.erase("predicted_ms");
  EXPECT_EQ(first, json({{"trial", 1},
                         {"choices", {"identity", "mb1_k3"}},
                         {"error", 10.0},
                         {"latency_ms", 0.4},
                         {"size_bytes", 5000.0},
                         {"run", shown("out/trials/1/run")}}));
  EXPECT_EQ(result["best"][1]["trial"], 0);
  EXPECT_TRUE(result["best"][1]["run"].is_null());
  // Up to (30, 0.75, 9000): trial 0 is not better in error, trial 4 is not kept.
  EXPECT_EQ(result["reference"], json({30.0, 0.75, 9000.0}));
  EXPECT_DOUBLE_EQ(result["hypervolume"], 20 * (0.75 - 0.4) * 4000);
  const Said said = run(verb("best"));
  // What is predicted depends on the table.
  const std::regex predicted(" +0\\.[0-9]{4}  identity");
  EXPECT_EQ(std::regex_replace(said.out, predicted, "  P  identity"),
            "4 trials finished, beyond what is required: 1\n"
            "hypervolume 28000, up to error 30, latency_ms 0.75, size_bytes 9000\n\n"
            "trial    error  latency_ms  size_bytes  predicted, ms  candidate          run\n"
            "    1  10.0000      0.4000   5000.0000  P  identity mb1_k3    " +
                shown("out/trials/1/run") +
                "\n"
                "    0  30.0000      0.1000   1000.0000  P  identity identity  -\n");
}

TEST_F(StudyVerbs, BestKeepsFurtherRequirements) {
  make_study(five());
  const json result =
      run(verb("best", "--requirements size_bytes_max=4e3 --requirements error_max=30 --json"))
          .parsed();
  ASSERT_EQ(result["best"].size(), 1U);
  EXPECT_EQ(result["best"][0]["trial"], 0);
  EXPECT_EQ(result["beyond_requirements"], 3);
  EXPECT_EQ(result["requirements"], json({{{"key", "latency_ms_max"}, {"most", 0.5}},
                                          {{"key", "size_bytes_max"}, {"most", 4000.0}},
                                          {{"key", "error_max"}, {"most", 30.0}}}));
}

TEST_F(StudyVerbs, BestKeepsTheErrorThatTheConfigRequires) {
  make_study(five());
  json c = config();
  c["requirements"]["error_max"] = 25;
  write_config(c);
  const json result = run(verb("best", "--json")).parsed();
  ASSERT_EQ(result["best"].size(), 1U);
  EXPECT_EQ(result["best"][0]["trial"], 1);
  EXPECT_EQ(result["requirements"], json({{{"key", "error_max"}, {"most", 25.0}},
                                          {{"key", "latency_ms_max"}, {"most", 0.5}}}));
}

TEST_F(StudyVerbs, BestNamesTheNearestTrialWhereNoneKeepsWhatIsRequired) {
  make_study(five());
  const Said said =
      run(verb("best", "--requirements error_max=8 --requirements size_bytes_max=4500"));
  EXPECT_EQ(said.code, 3);
  EXPECT_EQ(said.out, "");
  EXPECT_EQ(said.err, "xgen-train: " + shown("s.json") +
                          ": none of 4 finished trials keeps what is required; the nearest, trial "
                          "1, has error 10, required at most 8; size_bytes 5000, required at most "
                          "4500\n");
}

TEST_F(StudyVerbs, ASearchWithoutATrialThatKeepsWhatIsRequiredNamesTheNearest) {
  std::vector<Found> slow(9, {{30, 0.9, 1000}, ""});
  slow[4].objectives[1] = 0.6;
  make_study(slow);
  json c = config();
  c["run"] = XGEN_SOURCE_DIR "/configs/digits.json";
  write_config(c);
  const Said said = run("search " + path("s.json") + " -o " + path("out"));
  EXPECT_EQ(said.code, 3);
  EXPECT_NE(said.out.find("9 of 9 trials finished"), std::string::npos) << said.out;
  EXPECT_EQ(said.err, "xgen-train: " + shown("s.json") +
                          ": none of 9 finished trials keeps what is required; the nearest, trial "
                          "4, has latency_ms 0.6, required at most 0.5\n");
}

TEST_F(StudyVerbs, OfTrialsThatFailedByWhatIsNoObjectiveTheNearestIsNamed) {
  const auto measured = [](double latency_ms) {
    const json network = {{"validation", {{"top1", 0.9}}},
                          {"latency_ms", latency_ms},
                          {"size_bytes", 1000},
                          {"memory_bytes", 2000}};
    return json{{"stages", {{{"kind", "compile"}, {"variants", {network}}}}}};
  };
  json c = config();
  c["objectives"] = {"error"};
  write_config(c);
  make_study({{{}, "it was too slow", measured(0.9)},
              {{}, "it was too slow", measured(0.6)},
              {{}, "loss is NaN in step 3 (exit code 2)"}});
  const Said said = run(verb("best"));
  EXPECT_EQ(said.code, 3);
  EXPECT_EQ(said.err, "xgen-train: " + shown("s.json") +
                          ": none of 2 finished trials keeps what is required; the nearest, trial "
                          "1, has latency_ms 0.6, required at most 0.5\n");
}

TEST_F(StudyVerbs, BestRefusesRequirementsThatItCannotJudge) {
  make_study(five());
  const std::string known =
      "\"error_max\", \"latency_ms_max\", \"size_bytes_max\", as the study's objectives are, got ";
  EXPECT_EQ(refusal(verb("best", "--requirements latency_m_max=1")),
            "--requirements: expected one of " + known +
                "\"latency_m_max\"; did you mean \"latency_ms_max\"?");
  EXPECT_EQ(refusal(verb("best", "--requirements peak_ram_bytes_max=1")),
            "--requirements: expected one of " + known + "\"peak_ram_bytes_max\"");
  for (const std::string value : {"-1", "1ms"})
    EXPECT_EQ(refusal(verb("best", "--requirements error_max=" + value)),
              "--requirements: error_max: expected a number of at least 0, got \"" + value + "\"");
  EXPECT_EQ(refusal(verb("best", "--requirements error_max")),
            "--requirements: error_max: expected a number of at least 0, got \"\"");
}

TEST_F(StudyVerbs, SayThatThereIsNothingYet) {
  for (const char* name : {"best", "report", "export"})
    EXPECT_EQ(refusal(verb(name)), shown("out/study.db") + ": expected a study, found no file");
  make_study({{{}, "wrong"}}, true);
  EXPECT_EQ(
      refusal(verb("best")),
      shown("out/study.db") + ": expected trials that finished, found none: 1 running, 1 failed");
  EXPECT_EQ(run(verb("report")).code, 0);
  EXPECT_NE(text_of("out/report.html").find("0 of 9 trials finished, 1 running, 1 failed"),
            std::string::npos);
}

TEST_F(StudyVerbs, ReportPrintsTheValuesItShows) {
  make_study(five(), true);
  const Said said = run(verb("report"));
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.out, shown("out/report.html") + "\n");
  const json values = run(verb("report", "--json")).parsed();
  EXPECT_EQ(values["report"], shown("out/report.html"));
  EXPECT_EQ(values["running"], 1);
  EXPECT_EQ(values["points"].size(), 4U);
  EXPECT_EQ(values["best"].size(), 2U);
  ASSERT_EQ(values["history"].size(), 4U);
  EXPECT_EQ(values["history"][0],
            json({{"trial", 0}, {"finished", 1}, {"best", 30.0}, {"hypervolume", 0.0}}));
  EXPECT_EQ(values["history"][1]["best"], 10.0);
  EXPECT_EQ(values["history"][3]["best"], 10.0) << "trial 4 does not keep what is required";
  EXPECT_EQ(values["history"][3]["hypervolume"], values["hypervolume"]);
  ASSERT_EQ(values["importance"].size(), 3U);
  const std::vector<double> shares = values["importance"][0]["shares"];
  EXPECT_NEAR(shares[0] + shares[1], 1, 1e-12);
  EXPECT_EQ(values["failures"][0]["trial"], 2);
  ASSERT_EQ(values["beyond"].size(), 1U);
  EXPECT_EQ(values["beyond"][0]["misses"], "latency_ms 0.75, required at most 0.5");
}

TEST_F(StudyVerbs, ReportIsOnePageOfEverythingThatWasFound) {
  make_study(five(), true);
  ASSERT_EQ(run(verb("report")).code, 0);
  const std::string html = text_of("out/report.html");
  for (const char* part :
       {"4 of 9 trials finished, 1 running, 1 failed; beyond what is required: 1",
        "Trials: error over latency_ms", "error, %: the least so far", "Hypervolume so far",
        "Importance of parameters", "Of 4 trials this is little more than a guess",
        "loss is NaN in step 3 &lt;b&gt; (exit code 2)", "latency_ms 0.75, required at most 0.5",
        "dot faint", "identity mb1_k3"})
    EXPECT_NE(html.find(part), std::string::npos) << part;
  EXPECT_EQ(html.find("<b> (exit"), std::string::npos) << "texts are escaped";
  EXPECT_EQ(html.find("src="), std::string::npos) << "nothing beside the page";
}

TEST_F(StudyVerbs, ImportMakesTheStudyThatWasExported) {
  make_study(five(), true);
  const std::string lines = run(verb("export")).out;
  EXPECT_EQ(run(verb("export", "--file " + path("t.jsonl"))).out, "");
  EXPECT_EQ(text_of("t.jsonl"), lines);
  const std::string in_copy = path("s.json") + " " + path("t.jsonl") + " -o " + path("copy");
  EXPECT_EQ(run("search import " + in_copy).out,
            shown("copy/study.db") + ": 5 trials imported, 1 of them failed\n");
  const std::string copy = path("s.json") + " -o " + path("copy");
  json here = run(verb("report", "--json")).parsed(),
       there = run("search report " + copy + " --json").parsed();
  for (json* report : {&here, &there}) {
    report->erase("report");
    report->erase("running");
  }
  EXPECT_EQ(there, here);
  // The one that was under way is left out, everything else is as it was.
  std::string again = run("search export " + copy).out;
  const std::size_t count = again.find("\"trials\":5");
  ASSERT_NE(count, std::string::npos) << again;
  again.replace(count, 10, "\"trials\":6");
  EXPECT_EQ(again, lines.substr(0, lines.rfind('\n', lines.size() - 2) + 1));
  EXPECT_EQ(refusal("search import " + in_copy),
            shown("copy/study.db") + ": expected a study without trials, found 5");
}

TEST_F(StudyVerbs, ImportOfABrokenFileMakesNothing) {
  make_study(five());
  run(verb("export", "--file " + path("t.jsonl")));
  std::string lines = text_of("t.jsonl");
  const std::string whole = lines;
  const std::string import_into_copy =
      "search import " + path("s.json") + " " + path("t.jsonl") + " -o " + path("copy");
  std::ofstream(folder_ / "t.jsonl") << lines.replace(lines.find("\"failed\""), 8, "\"filed\"");
  EXPECT_EQ(refusal(import_into_copy),
            shown("t.jsonl") +
                ": line 4: /state: expected one of \"running\", \"finished\", \"failed\", got "
                "\"filed\"; did you mean \"failed\"?");
  std::ofstream(folder_ / "t.jsonl") << whole;
  json other = config();
  other["seed"] = 5;
  other["space"]["stages"][0]["channels"] = 16;
  write_config(other);
  EXPECT_EQ(refusal(import_into_copy),
            shown("t.jsonl") +
                ": line 1: /settings: another study than the config's; /seed: expected 5, got 1; "
                "/space/stages/0/channels: expected 16, got 8");
  EXPECT_FALSE(exists("copy"));
  EXPECT_EQ(refusal("search import " + path("s.json") + " " + path("none.jsonl")),
            shown("none.jsonl") + ": expected an exported study, found no file to read");
}

}  // namespace
}  // namespace xgen::cli
