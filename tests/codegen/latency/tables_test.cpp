#include "codegen/latency/tables.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/codegen/latency/difference_of_fits.h"
#include "tests/codegen/latency/map_work.h"
#include "tests/support/command.h"
#include "tests/support/environment.h"
#include "tests/support/temporary_folder.h"

namespace xgen::latency {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

Platform platform(const std::string& compiler = "cc 1", const std::string& cpu = "A CPU (R)") {
  return {"x86_64", "x86-avx2", cpu, compiler};
}

/// A table of some maps, `us` a vector.
LatencyTable table(const Platform& of, double us = 0.01) {
  std::vector<Sample> samples;
  for (int i = 1; i <= 25; ++i)
    samples.push_back({map_work(7 * i), 0.3 + us * 7 * i + 0.01 * (i % 3)});
  return {of, samples};
}

std::optional<double> chosen_us(const std::vector<FoundTable>& tables, const Platform& of) {
  const auto found = choose_table(tables, of);
  if (!found) return std::nullopt;
  EXPECT_EQ(found->same_compiler, found->table.platform() == of);
  // To a tenth: the static estimate takes a little part in it.
  return std::round(10 *
                    (found->table.predict(map_work(101)) - found->table.predict(map_work(1)))) /
         10;
}

TEST(ChooseTable, TakesTheVeryPlatformThenAnotherCompilersTheOwnOnesFirst) {
  const FoundTable own{table(platform(), 0.01), "a.json"},
      own_old{table(platform("cc 0"), 0.02), "b.json"},
      committed{table(platform(), 0.03), kCommitted},
      committed_new{table(platform("cc 2"), 0.04), kCommitted},
      foreign{table(platform("cc 1", "another CPU"), 0.05), "c.json"};
  EXPECT_EQ(chosen_us({foreign, own_old, own, committed_new, committed}, platform()), 1);
  EXPECT_EQ(chosen_us({foreign, own_old, committed_new, committed}, platform()), 3);
  EXPECT_EQ(chosen_us({foreign, own_old, committed_new}, platform()), 2);
  EXPECT_EQ(chosen_us({foreign, committed_new}, platform()), 4);
  EXPECT_EQ(chosen_us({foreign}, platform()), std::nullopt);
}

TEST(FindTable, LooksInTheUsersPlaceAndLeavesAsideWhatItCannotRead) {
  const test::TemporaryFolder folder;
  const test::EnvironmentVariable place("XDG_DATA_HOME", folder.path().string());
  EXPECT_EQ(find_table(platform()), std::nullopt);
  table(platform("cc 0")).save(table_file(platform("cc 0")));
  table(platform("cc 0", "another CPU")).save(table_file(platform("cc 0", "another CPU")));
  folder.put("xgen/latency/x86_64_A_CPU__R__x86-avx2_cc_9.json",
             "{\"format\": \"xgen latency 1\"}");
  folder.put("xgen/latency/x86_64_A_CPU__R__x86-avx2_cc_1.json.part", "unfinished");
  const auto found = find_table(platform());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->origin, (folder / "xgen/latency/x86_64_A_CPU__R__x86-avx2_cc_0.json").string());
  EXPECT_FALSE(found->same_compiler);
  EXPECT_EQ(found->table.samples().size(), 25U);
  table(platform()).save(table_file(platform()));
  EXPECT_TRUE(find_table(platform())->same_compiler);
  const std::vector<FoundTable> all = all_tables();
  EXPECT_EQ(std::count_if(all.begin(), all.end(),
                          [](const FoundTable& t) { return t.origin != kCommitted; }),
            3);
}

TEST(TextOf, SaysWhoseTableServesAndHowGoodItIs) {
  FoundTable found{table(platform()), "t.json"};
  EXPECT_THAT(text_of(found), HasSubstr("latency table of A CPU (R), x86-avx2, cc 1 (t.json): of "
                                        "its 25 measured kernel calls, "));
  EXPECT_THAT(text_of(found), ::testing::EndsWith(" %"));
  found.same_compiler = false;
  EXPECT_THAT(text_of(found), HasSubstr("; it is of another compiler than the one here"));
  EXPECT_THAT(text_of_no_table(platform()),
              AllOf(HasSubstr("no latency table of A CPU (R) with x86-avx2: the static estimate "),
                    HasSubstr("`xgen-train latency build --minutes 2`")));
}

/// What cmake/embed_files.cmake makes of a table: the text behind the string literals.
std::string embedded(const fs::path& file, const fs::path& output) {
  const test::CommandResult made = test::run_command(
      str("'" CMAKE_COMMAND "' -DFILES= '-DLATENCY_TABLES=", file.string(),
          "' '-DOUTPUT=", output.string(), "' -P '" XGEN_SOURCE_DIR "/cmake/embed_files.cmake'"));
  if (made.exit_code != 0) return made.output;
  const std::string literals = test::contents(output);
  std::string text;
  std::size_t at = 0;
  for (std::size_t begin; (begin = literals.find("R\"~(", at)) != std::string::npos;) {
    at = literals.find(")~\"", begin);
    text += literals.substr(begin + 4, at - begin - 4);
  }
  return literals.substr(0, literals.find(',')) + " " + text;
}

TEST(EmbeddedTables, HoldTheFitsAndNotTheSamples) {
  const test::TemporaryFolder folder;
  const LatencyTable whole = table(platform());
  whole.save(folder / "A.1-2.json");
  const std::string text = embedded(folder / "A.1-2.json", folder / "out.inc");
  const std::string name = "{\"A.1-2.fits\" ";
  ASSERT_EQ(text.substr(0, name.size()), name);
  const LatencyTable read = LatencyTable::parse(text.substr(name.size()), "A.1-2.fits");
  EXPECT_EQ(read.platform(), whole.platform());
  EXPECT_TRUE(read.samples().empty());
  EXPECT_EQ(test::difference_of_fits(read, whole), "");
  EXPECT_THAT(embedded(folder.put("b.json", "{}"), folder / "out.inc"),
              HasSubstr("b.json: expected a latency table"));
}

/// What is wrong with a file of codegen/latency/tables; empty when nothing is.
/// @param known  the tables that the library holds.
std::string problem_of(const fs::path& file, const std::vector<FoundTable>& known) {
  const LatencyTable stored = LatencyTable::load(file);  // throws where features have changed
  if (table_file(stored.platform()).filename() != file.filename())
    return str("expected the name ", table_file(stored.platform()).filename().string());
  if (stored.samples().empty()) return "no samples";
  const std::string refit =
      test::difference_of_fits(stored, {stored.platform(), stored.samples(), stored.measurement()});
  if (!refit.empty()) return "fitted again: " + refit;
  const auto held = std::find_if(known.begin(), known.end(), [&](const FoundTable& t) {
    return t.origin == kCommitted && t.table.platform() == stored.platform();
  });
  if (held == known.end()) return "the library does not hold it";
  const std::string embedded = test::difference_of_fits(held->table, stored);
  return embedded.empty() ? "" : "the library holds another: " + embedded;
}

TEST(CommittedTables, AreFittedToTheirOwnData) {
  const std::vector<FoundTable> known = all_tables();
  std::ptrdiff_t files = 0;
  for (const auto& entry : fs::directory_iterator(XGEN_SOURCE_DIR "/codegen/latency/tables")) {
    if (entry.path().extension() != ".json") continue;
    ++files;
    EXPECT_EQ(problem_of(entry.path(), known), "") << entry.path();
  }
  EXPECT_EQ(std::count_if(known.begin(), known.end(),
                          [](const FoundTable& t) { return t.origin == kCommitted; }),
            files);
}

TEST(CommittedTables, AreRefusedWhereDataAndFactorsDoNotBelongTogether) {
  const test::TemporaryFolder folder;
  const LatencyTable good = table(platform());
  const std::string name = table_file(platform()).filename().string();
  const FoundTable held{good, kCommitted};
  good.save(folder / name);
  EXPECT_EQ(problem_of(folder / name, {held}), "");
  EXPECT_EQ(problem_of(folder / name, {}), "the library does not hold it");
  EXPECT_THAT(problem_of(folder / name, {{table(platform(), 0.02), kCommitted}}),
              HasSubstr("the library holds another: map_f32: "));
  good.save(folder / "other.json");
  EXPECT_EQ(problem_of(folder / "other.json", {held}), "expected the name " + name);
  good.save_fits(folder / name);
  EXPECT_EQ(problem_of(folder / name, {held}), "no samples");
  // One time of the data is another.
  table(platform()).save(folder / name);
  std::string text = test::contents(folder / name);
  const std::size_t row = text.rfind("\n[");
  text.replace(row, 2, "\n[1");
  folder.put(name, text);
  EXPECT_THAT(problem_of(folder / name, {held}), HasSubstr("fitted again: map_f32: "));
}

}  // namespace
}  // namespace xgen::latency
