// What a policy cannot do with the frontier that it is handed, because it does not compile.
#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <utility>

#include "policies/depth/hindsight_frontier.h"
#include "policies/depth/owned_frontier.h"

namespace dspark {
namespace {

template <class Frontier>
concept Restarted = requires(Frontier& frontier, const DraftColumns& drafts) {
  frontier.reset(drafts);
};
template <class Frontier>
concept ShowsAllSorted = requires(Frontier& frontier) {
  frontier.sorted_survivals_for_history();
};
template <class Frontier>
concept ShowsAll = requires(const Frontier& frontier) {
  frontier.survivals_for_history();
};

/// A policy that derives from what its owner has, which no policy's source may name.
class Derived : public OwnedFrontier {};

// By new-expressions, which ask for no destructor, as the type traits do.
template <class Frontier>
concept Made = requires {
  new Frontier();
};
template <class Frontier>
concept Copied = requires(Frontier& frontier) {
  new Frontier(frontier);
};
template <class Frontier>
concept Moved = requires(Frontier& frontier) {
  new Frontier(std::move(frontier));
};
template <class Frontier>
concept Assigned = requires(Frontier& frontier) {
  frontier = std::move(frontier);
};

TEST(FrontierAccess, APolicyCanNeitherRestartNorCopyItsFrontierNorLookBehindIt) {
  static_assert(!Restarted<SurvivalFrontier>);
  static_assert(!ShowsAllSorted<SurvivalFrontier> && !ShowsAll<SurvivalFrontier>);
  static_assert(!Made<SurvivalFrontier> && !Copied<SurvivalFrontier> && !Moved<SurvivalFrontier>);
  static_assert(!Assigned<SurvivalFrontier>);
}

TEST(FrontierAccess, TheChecksSeeWhatAnOwnerCanDo) {
  static_assert(Restarted<OwnedFrontier> && Restarted<Derived>);
  static_assert(ShowsAllSorted<OwnedFrontier> && ShowsAll<OwnedFrontier>);
  static_assert(Made<OwnedFrontier>);
  static_assert(Copied<std::string> && Moved<std::string> && Assigned<std::string>);
  static_assert(std::is_convertible_v<OwnedFrontier&, SurvivalFrontier&>);
}

TEST(FrontierAccess, ARuleThatAnticipatesStartsFromItsViewAndSeesNoHistory) {
  static_assert(!Restarted<HindsightFrontier>);
  static_assert(!ShowsAllSorted<HindsightFrontier> && !ShowsAll<HindsightFrontier>);
}

}  // namespace
}  // namespace dspark
