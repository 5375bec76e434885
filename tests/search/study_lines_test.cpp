#include "search/study_lines.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "search/study_json.h"
#include "tests/support/message.h"

namespace xgen::search {
namespace {

StudySettings settings() {
  return {"tiny",
          R"({"kind":"macro","stages":[{"channels":8,"blocks":2}],"image_size":8})",
          {"error", "latency_ms"},
          "random",
          7,
          2};
}

Space space() { return {"tiny", {{"a", {"0", "1"}}, {"b", {"0", "1", "2"}}}}; }

std::vector<StudyTrial> trials() {
  return {{0, {0, 2}, TrialState::finished, {1.0 / 3, 0.1}, "", "host:1", 1},
          {1, {1, 1}, TrialState::failed, {}, "loss is \"NaN\"\nin step 3", "host:2", 3}};
}

std::vector<StudyTrial> read(const std::string& text) {
  return read_study_lines(text, "F", settings(), space()).trials;
}

// Of a text with line `number` (from 1 on) replaced; a line break leaves it out.
std::string message_with(int number, const std::string& line,
                         const std::vector<StudyTrial>& of = trials()) {
  std::istringstream lines(study_lines(settings(), {of, {}}));
  std::string text, at;
  for (int i = 1; std::getline(lines, at); ++i)
    text += i != number ? at + "\n" : line == "\n" ? "" : line + "\n";
  return test::message_of([&] { read(text); });
}

TEST(StudyLines, KeepEveryFieldToTheBit) {
  const std::string text = study_lines(settings(), {trials(), {}});
  const std::vector<StudyTrial> got = read(text);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].objectives, trials()[0].objectives);
  EXPECT_EQ(got[1].reason, trials()[1].reason);
  EXPECT_EQ(study_lines(settings(), {got, {}}), text);
  EXPECT_EQ(
      text,
      R"({"format":"xgen study","version":1,"trials":2,"settings":{"name":"tiny","space":)"
      R"({"kind":"macro","stages":[{"channels":8,"blocks":2}],"image_size":8},"objectives":)"
      R"(["error","latency_ms"],"sampler":"random","seed":7,"in_flight":2,"steps":["run"],"reduction":3,"bootstrap":0}})"
      "\n"
      R"({"number":0,"state":"finished","point":[0,2],"step":0,"objectives":[0.3333333333333333,0.1],)"
      R"("reason":"","worker":"host:1","attempts":1})"
      "\n"
      R"({"number":1,"state":"failed","point":[1,1],"step":0,"objectives":[],)"
      R"("reason":"loss is \"NaN\"\nin step 3","worker":"host:2","attempts":3})"
      "\n");
}

TEST(StudyLines, KeepWhatProposalsFollowFrom) {
  const StudyInputs inputs = {{"harms", "[[],[0.30000000000000004,2]]"}};
  const std::string text = study_lines(settings(), {trials(), inputs});
  EXPECT_NE(text.find(R"("inputs":{"harms":[[],[0.30000000000000004,2]]}})"), std::string::npos)
      << text;
  EXPECT_EQ(read_study_lines(text, "F", settings(), space()).inputs, inputs);
  nlohmann::json first_line = nlohmann::json::parse(text.substr(0, text.find('\n')));
  first_line["inputs"] = 7;
  EXPECT_EQ(message_with(1, first_line.dump()),
            "F: line 1: /inputs: expected what the study measured, by name, got 7");
}

TEST(StudyLines, TellInWhatSettingsDiffer) {
  StudySettings other = settings();
  other.seed = 8;
  other.space = R"({"kind":"macro","image_size":8,"stages":[{"channels":16,"blocks":2}]})";
  EXPECT_EQ(test::message_of([&] { read(study_lines(other, {})); }),
            "F: line 1: /settings: another study than the config's; /seed: expected 7, got 8; "
            "/space/stages/0/channels: expected 8, got 16");
}

TEST(StudyLines, NameTheBrokenLine) {
  const std::string finished = R"({"number":1,"state":"finished","point":[0,0],)";
  EXPECT_EQ(message_with(1, "{}"), "F: line 1: /format: required key is missing");
  EXPECT_EQ(message_with(1, R"({"format":"xgen study","version":2,"trials":2})"),
            "F: line 1: /version: expected an integer in [1, 1], got 2");
  EXPECT_EQ(message_with(1, R"({"format":"xgen study","version":1,"trials":2})"),
            "F: line 1: /settings: expected the study's settings, got nothing");
  EXPECT_EQ(message_with(2, "{\"number\": 0, \"sta"),
            R"(F: line 2: expected a JSON object, got "{\"number\": 0, \"sta")");
  EXPECT_EQ(message_with(3, ""), "F: line 3: expected a JSON object, got an empty line");
  EXPECT_EQ(message_with(3, "7"), "F: line 3: /: expected an object, got 7");
  EXPECT_EQ(message_with(3, R"({"number":1,"state":"finshed","point":[0,0]})"),
            R"(F: line 3: /state: expected one of "running", "finished", "failed", got "finshed"; )"
            R"(did you mean "finished"?)");
  EXPECT_EQ(message_with(3, finished + R"("objectives":[1,2],"atempts":1})"),
            R"(F: line 3: /atempts: unknown key; did you mean "attempts"?)");
  EXPECT_EQ(message_with(3, finished + R"("objectives":[1]})"),
            "F: line 3: /objectives: expected 2, got 1");
  EXPECT_EQ(message_with(3, finished + R"("objectives":[1,null]})"),
            "F: line 3: /objectives/1: expected a number, got null");
  EXPECT_EQ(message_with(3, finished + "\"objectives\":[]}"),
            "F: line 3: /objectives: expected what the finished trial found, got none");
  EXPECT_EQ(message_with(3, R"({"number":1,"state":"failed","point":[0,0],"objectives":[1,2]})"),
            "F: line 3: /objectives: expected none of a trial that is failed, got 2");
  EXPECT_EQ(message_with(3, R"({"number":1,"state":"failed","point":[0,3]})"),
            "F: line 3: /point: expected a candidate of the study's space, got [0,3]");
}

TEST(StudyLines, HaveNoGapsAndNoEndMissing) {
  EXPECT_EQ(message_with(2, "\n"), "F: line 2: /number: expected 0, got 1");
  EXPECT_EQ(message_with(3, "\n"),
            "F: line 1: /trials: expected as many as follow, 1, got 2; the file may have been cut");
}

TEST(StudyLines, LeaveOutWhatRanAtTheEndAndFailWhatOthersFollow) {
  std::vector<StudyTrial> all = trials();
  all.insert(all.begin(), {0, {1, 0}, TrialState::running, {}, "", "host:1", 1});
  all.push_back({0, {1, 2}, TrialState::running, {}, "", "host:2", 1});
  all.push_back({0, {0, 1}, TrialState::running, {}, "", "host:3", 1});
  for (std::size_t i = 0; i < all.size(); ++i) all[i].number = static_cast<std::int64_t>(i);
  const std::vector<StudyTrial> got = read(study_lines(settings(), {all, {}}));
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].state, TrialState::failed);
  EXPECT_EQ(got[0].reason, "was under way when the study was exported");
  EXPECT_EQ(got[1].state, TrialState::finished);
}

}  // namespace
}  // namespace xgen::search
