// Every event type there is, in the order they were published. `npm run generate` writes it from the files in the folders.

import { bookmarkAdded } from './content/bookmark-added.ts';
import { bookmarkRemoved } from './content/bookmark-removed.ts';
import { filmLiked } from './content/film-liked.ts';
import { filmUnliked } from './content/film-unliked.ts';
import { progressRemoved } from './content/progress-removed.ts';
import { progressSaved } from './content/progress-saved.ts';
import { reviewDeleted } from './content/review-deleted.ts';
import { reviewEdited } from './content/review-edited.ts';
import { reviewLiked } from './content/review-liked.ts';
import { reviewModerated } from './content/review-moderated.ts';
import { reviewPosted } from './content/review-posted.ts';
import { reviewUnliked } from './content/review-unliked.ts';
import { click } from './film/click.ts';
import { custom } from './film/custom.ts';
import { filmClosed } from './film/film-closed.ts';
import { filmOpened } from './film/film-opened.ts';
import { filmProgress } from './film/film-progress.ts';
import { filmWatched } from './film/film-watched.ts';
import { pageTime } from './film/page-time.ts';
import { pageView } from './film/page-view.ts';
import { qualityChange } from './film/quality-change.ts';
import { searchFilterUse } from './film/search-filter-use.ts';
import { cartAdd } from './marketplace/cart-add.ts';
import { cartDelete } from './marketplace/cart-delete.ts';
import { categoryView } from './marketplace/category-view.ts';
import { filtering } from './marketplace/filtering.ts';
import { itemComparison } from './marketplace/item-comparison.ts';
import { itemReturn } from './marketplace/item-return.ts';
import { loggingIn } from './marketplace/logging-in.ts';
import { mailingSubscription } from './marketplace/mailing-subscription.ts';
import { orderCancel } from './marketplace/order-cancel.ts';
import { orderHistoryViewing } from './marketplace/order-history-viewing.ts';
import { ordering } from './marketplace/ordering.ts';
import { pageVisit } from './marketplace/page-visit.ts';
import { profileEdit } from './marketplace/profile-edit.ts';
import { promoUsage } from './marketplace/promo-usage.ts';
import { recommendationView } from './marketplace/recommendation-view.ts';
import { registering } from './marketplace/registering.ts';
import { reviewCreating } from './marketplace/review-creating.ts';
import { reviewReview } from './marketplace/review-review.ts';
import { saleParticipation } from './marketplace/sale-participation.ts';
import { searching } from './marketplace/searching.ts';
import { supportContact } from './marketplace/support-contact.ts';
import { groupIdentified } from './people/group-identified.ts';
import { userAliased } from './people/user-aliased.ts';
import { userIdentified } from './people/user-identified.ts';
import { log } from './telemetry/log.ts';

export const everyType = [
  click,
  pageView,
  pageTime,
  searchFilterUse,
  qualityChange,
  filmWatched,
  filmOpened,
  filmProgress,
  filmClosed,
  custom,
  pageVisit,
  searching,
  filtering,
  cartAdd,
  cartDelete,
  ordering,
  orderCancel,
  reviewReview,
  reviewCreating,
  registering,
  loggingIn,
  profileEdit,
  mailingSubscription,
  supportContact,
  recommendationView,
  saleParticipation,
  itemComparison,
  orderHistoryViewing,
  itemReturn,
  promoUsage,
  categoryView,
  filmLiked,
  filmUnliked,
  reviewPosted,
  reviewEdited,
  reviewDeleted,
  bookmarkAdded,
  bookmarkRemoved,
  groupIdentified,
  userAliased,
  userIdentified,
  progressRemoved,
  progressSaved,
  reviewLiked,
  reviewModerated,
  reviewUnliked,
  log,
];
