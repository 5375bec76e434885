#include "core/random.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "core/error.h"

namespace xgen {
namespace {

using ::testing::ElementsAre;

TEST(Philox, AgreesWithThePublishedVectors) {
  // kat_vectors of the authors' library Random123.
  constexpr std::uint32_t kOnes = 0xFFFFFFFF;
  EXPECT_THAT(philox4x32({0, 0, 0, 0}, {0, 0}),
              ElementsAre(0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8));
  EXPECT_THAT(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
              ElementsAre(0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD));
  EXPECT_THAT(
      philox4x32({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}),
      ElementsAre(0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1));
}

TEST(Random, GivesTheSameNumbersOnEveryMachine) {
  // Computed by an independent program (Python, statistics.NormalDist); a change here means that
  // old checkpoints no longer resume to the same bits.
  RandomStream stream = Random(1).stream("test", 2);
  EXPECT_EQ(stream.next(), 56721066U);
  EXPECT_EQ(stream.integer(0, 999), 386);
  EXPECT_EQ(stream.uniform(), 0x1.c8cda3898b2d8p-3);
  EXPECT_EQ(stream.normal(), -0x1.1de2dd25b8373p-1);
}

TEST(Random, StreamsAreToldApartByEveryKeyAndTheirOrder) {
  const Random random(7);
  std::set<std::uint32_t> first;
  for (RandomStream s :
       {random.stream("a", "b"), random.stream("b", "a"), random.stream("a"), random.stream(),
        random.stream("a", 0), random.stream("a", 1), Random(8).stream("a")}) {
    first.insert(s.next());
  }
  EXPECT_EQ(first.size(), 7U);
  EXPECT_EQ(random.stream("a", 1).next(), random.stream(std::string("a"), 1U).next());
}

TEST(Random, NormalHasTheMomentsAndTailsOfTheNormalDistribution) {
  RandomStream stream = Random(3).stream("normal");
  constexpr int kDraws = 200000;
  double sum = 0, squares = 0;
  int within_one = 0, beyond_three = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = stream.normal();
    sum += x;
    squares += x * x;
    within_one += std::abs(x) < 1 ? 1 : 0;
    beyond_three += std::abs(x) > 3 ? 1 : 0;
  }
  // Five standard errors each.
  EXPECT_NEAR(sum / kDraws, 0, 5 / std::sqrt(kDraws));
  EXPECT_NEAR(squares / kDraws, 1, 5 * std::sqrt(2.0 / kDraws));
  EXPECT_NEAR(within_one / double{kDraws}, 0.682689, 0.0052);
  EXPECT_NEAR(beyond_three / double{kDraws}, 0.0027, 0.0006);
}

TEST(Random, BetaIsSymmetricAndLeansToTheEndsForASmallAlpha) {
  RandomStream stream = Random(3).stream("beta");
  double sum = 0, squares = 0;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = stream.beta(0.2);
    ASSERT_GE(x, 0);
    ASSERT_LE(x, 1);
    sum += x;
    squares += (x - 0.5) * (x - 0.5);
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.016);
  EXPECT_NEAR(squares / kDraws, 1 / (4 * 1.4), 0.003);  // variance of Beta(a, a): 1 / (4 (2a + 1))
}

TEST(Random, IntegersCoverBothEndsEvenly) {
  RandomStream stream = Random(5).stream("integer");
  std::array<int, 5> count{};
  for (int i = 0; i < 50000; ++i) ++count[static_cast<std::size_t>(stream.integer(-2, 2) + 2)];
  for (const int n : count) EXPECT_NEAR(n, 10000, 450);
  EXPECT_EQ(stream.integer(4, 4), 4);
  EXPECT_THROW(stream.integer(1, 0), InternalError);
}

TEST(Random, PermutationHoldsEveryIndexOnce) {
  const auto order = Random(1).stream("permutation").permutation(1000);
  EXPECT_EQ(std::set<std::int64_t>(order.begin(), order.end()).size(), 1000U);
  EXPECT_NE(order, Random(2).stream("permutation").permutation(1000));
}

}  // namespace
}  // namespace xgen
