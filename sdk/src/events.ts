// The fields of every event. `npm run generate` writes it.

/** What the SDK gives by itself where an event does not say it. */
interface Given {
  /** A UUID; the same one sent twice is one event. */
  readonly event_id?: string;
  /** When it happened: ISO 8601 with a zone, or epoch milliseconds. */
  readonly timestamp?: string | number;
}

export interface Events {
  /** A click on an element of the page: a film, a trailer, a person, a button */
  readonly click: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** What was clicked, e.g. button_submit */
    readonly element: string;
    /** Address of the page */
    readonly page_url: string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A page was opened */
  readonly page_view: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** Address of the page */
    readonly page_url: string;
    /** Where the user came from, or null */
    readonly referrer_url?: string | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** How long a page was looked at, told when it is left */
  readonly page_time: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** Address of the page */
    readonly page_url: string;
    /** Time in which the user did something with the page, milliseconds, 0 to 4294967295 */
    readonly engaged_ms: number;
    /** Time in which the page could be seen, milliseconds, 0 to 4294967295 */
    readonly visible_ms: number;
    /** The part of the page that was scrolled into view, 0 to 1 */
    readonly scroll_share: number;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A filter was used in the search */
  readonly search_filter_use: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** Which filter, e.g. title */
    readonly filter_type: string;
    /** What was looked for */
    readonly filter_value: string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** The quality of a video was changed while it played */
  readonly quality_change: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The video */
    readonly video_id: string;
    /** Quality before, e.g. 240p */
    readonly from_quality: string;
    /** Quality after, e.g. 720p */
    readonly to_quality: string;
    /** Position in the video, from its start, seconds, 0 to 4294967295 */
    readonly current_time: number;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A film was watched to its end */
  readonly film_watched: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The video */
    readonly video_id: string;
    /** Length of the video, seconds */
    readonly duration: number;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A film was opened in the player */
  readonly film_opened: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The video */
    readonly video_id: string;
    /** Where playing begins, seconds from the start */
    readonly position: number;
    /** Length of the video, seconds */
    readonly duration: number;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** Where the viewer of a film is, told now and then while it plays */
  readonly film_progress: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The video */
    readonly video_id: string;
    /** Where the viewer is, seconds from the start */
    readonly position: number;
    /** Length of the video, seconds */
    readonly duration: number;
    /** Position as a part of the length, 0 to 1 */
    readonly share: number;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** The player was left, and where */
  readonly film_closed: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The video */
    readonly video_id: string;
    /** Where viewing stopped, seconds from the start */
    readonly position: number;
    /** Length of the video, seconds */
    readonly duration: number;
    /** Position as a part of the length, 0 to 1 */
    readonly share: number;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** Anything that is no type of its own: a name, and properties as key and value */
  readonly custom: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** What happened, e.g. trailer_muted */
    readonly name: string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A product’s page was looked at */
  readonly page_visit: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The page */
    readonly page_id: number | string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** The search was used */
  readonly searching: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** What was searched for */
    readonly query: string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** Filters and sorting were applied to a search */
  readonly filtering: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** Lowest price */
    readonly price_min?: number | null;
    /** Highest price */
    readonly price_max?: number | null;
    /** Lowest rating */
    readonly rating_min?: number | null;
    /** Highest rating */
    readonly rating_max?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** An item was put into the cart */
  readonly cart_add: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The item put in */
    readonly item_id: number | string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** An item was taken out of the cart */
  readonly cart_delete: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The item taken out */
    readonly item_id: number | string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** An order was placed */
  readonly ordering: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The order */
    readonly order_id: number | string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** An order was cancelled */
  readonly order_cancel: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The order cancelled */
    readonly order_id: number | string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A review was read */
  readonly review_review: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The review */
    readonly review_id: number | string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A review was written */
  readonly review_creating: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The review written */
    readonly review_id: number | string;
    /** The item it is about */
    readonly item_id: number | string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user registered */
  readonly registering: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user logged in */
  readonly logging_in: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** How: 0 email_password, 1 phone_code, 2 external_service */
    readonly login_type: 0 | 1 | 2;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user changed the profile */
  readonly profile_edit: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user subscribed to a mailing */
  readonly mailing_subscription: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** To what: 1 all, 2 item_promotions, 3 themed_sales */
    readonly subscription_type: 1 | 2 | 3;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user turned to the support */
  readonly support_contact: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** By which way: 1 email, 2 call, 3 chat */
    readonly support_type: 1 | 2 | 3;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** Recommendations were looked at */
  readonly recommendation_view: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** Time spent on them, seconds */
    readonly duration_seconds: number;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** An item was bought in a sale */
  readonly sale_participation: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The sale */
    readonly sale_id: number | string;
    /** The item bought */
    readonly item_id: number | string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** Two items were compared */
  readonly item_comparison: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** One item */
    readonly first_item_id: number | string;
    /** The other item */
    readonly second_item_id: number | string;
    /** By what: 0 other_or_all, 1 price, 2 characteristics, 3 delivery_date */
    readonly comparison_type: 0 | 1 | 2 | 3;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** Earlier orders and their states were looked at */
  readonly order_history_viewing: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** Time spent on them, seconds */
    readonly duration_seconds: number;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** An item was returned */
  readonly item_return: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The item returned */
    readonly item_id: number | string;
    /** The order it belongs to */
    readonly order_id: number | string;
    /** Why; of 0 reason_user_message tells: 0 other, 1 defective, 2 expired, 3 wrong_size, 4 low_quality */
    readonly reason_type: 0 | 1 | 2 | 3 | 4;
    /** What the user says about the reason */
    readonly reason_user_message?: string | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A coupon was used for an order */
  readonly promo_usage: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The coupon */
    readonly coupon_id: number | string;
    /** The order it is for */
    readonly order_id: number | string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A category was opened */
  readonly category_view: Given & {
    /** The registered user */
    readonly user_id?: number | string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The category opened */
    readonly category_id: number | string;
    /** The category the user came from, or null */
    readonly parent_category_id?: number | string | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user likes or dislikes a film, for the first time or instead of the opposite */
  readonly film_liked: Given & {
    /** The registered user */
    readonly user_id?: string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The film */
    readonly film_id: string;
    /** Which: -1 dislike, 1 like */
    readonly value: -1 | 1;
    /** Which change of it this is, as the content service counts; null = another has sent the event, 1 to 4294967295 */
    readonly revision?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user took a like or dislike back */
  readonly film_unliked: Given & {
    /** The registered user */
    readonly user_id?: string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The film */
    readonly film_id: string;
    /** Which change of it this is, as the content service counts; null = another has sent the event, 1 to 4294967295 */
    readonly revision?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user reviewed a film */
  readonly review_posted: Given & {
    /** The registered user */
    readonly user_id?: string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The review */
    readonly review_id: string;
    /** The film */
    readonly film_id: string;
    /** What the user gives the film, 1 to 10 */
    readonly rating: number;
    /** The review itself */
    readonly text: string;
    /** Which change of it this is, as the content service counts; null = another has sent the event, 1 to 4294967295 */
    readonly revision?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user changed a review: as it is now */
  readonly review_edited: Given & {
    /** The registered user */
    readonly user_id?: string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The review */
    readonly review_id: string;
    /** The film */
    readonly film_id: string;
    /** What the user gives the film, 1 to 10 */
    readonly rating: number;
    /** The review itself */
    readonly text: string;
    /** Which change of it this is, as the content service counts; null = another has sent the event, 1 to 4294967295 */
    readonly revision?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user deleted a review */
  readonly review_deleted: Given & {
    /** The registered user */
    readonly user_id?: string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The review */
    readonly review_id: string;
    /** The film */
    readonly film_id: string;
    /** Which change of it this is, as the content service counts; null = another has sent the event, 1 to 4294967295 */
    readonly revision?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user put a film among the bookmarks */
  readonly bookmark_added: Given & {
    /** The registered user */
    readonly user_id?: string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The film */
    readonly film_id: string;
    /** Which change of it this is, as the content service counts; null = another has sent the event, 1 to 4294967295 */
    readonly revision?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user took a film from the bookmarks */
  readonly bookmark_removed: Given & {
    /** The registered user */
    readonly user_id?: string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The film */
    readonly film_id: string;
    /** Which change of it this is, as the content service counts; null = another has sent the event, 1 to 4294967295 */
    readonly revision?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** Which group a user belongs to, as a company or a household, and what is known of it */
  readonly group_identified: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The group */
    readonly group_id: string;
    /** What is known of it: name, plan */
    readonly traits?: Readonly<Record<string, unknown>>;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** Two ids are of one person */
  readonly user_aliased: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The id until now */
    readonly previous_id: string;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** Who a visitor is, and what is known of them */
  readonly user_identified: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** What is known: name, e-mail, plan */
    readonly traits?: Readonly<Record<string, unknown>>;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user took a film from the history */
  readonly progress_removed: Given & {
    /** The registered user */
    readonly user_id?: string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The film */
    readonly film_id: string;
    /** Which change of it this is, as the content service counts; null = another has sent the event, 1 to 4294967295 */
    readonly revision?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** The place where a user stopped viewing was saved */
  readonly progress_saved: Given & {
    /** The registered user */
    readonly user_id?: string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The film */
    readonly film_id: string;
    /** Where viewing stopped, seconds from the start */
    readonly position: number;
    /** Length of the film, seconds */
    readonly duration: number;
    /** Which change of it this is, as the content service counts; null = another has sent the event, 1 to 4294967295 */
    readonly revision?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user found the review of another useful, or not, for the first time or instead of the opposite */
  readonly review_liked: Given & {
    /** The registered user */
    readonly user_id?: string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The review */
    readonly review_id: string;
    /** The film */
    readonly film_id: string;
    /** Which: -1 dislike, 1 like */
    readonly value: -1 | 1;
    /** Which change of it this is, as the content service counts; null = another has sent the event, 1 to 4294967295 */
    readonly revision?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A moderator decided on a review; the user of the event is the moderator */
  readonly review_moderated: Given & {
    /** The registered user */
    readonly user_id?: string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The review */
    readonly review_id: string;
    /** The film */
    readonly film_id: string;
    /** What it is from now on: pending, approved, rejected, spam */
    readonly state: 'pending' | 'approved' | 'rejected' | 'spam';
    /** Which change of it this is, as the content service counts; null = another has sent the event, 1 to 4294967295 */
    readonly revision?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A user took back what was said of the review of another */
  readonly review_unliked: Given & {
    /** The registered user */
    readonly user_id?: string;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** The review */
    readonly review_id: string;
    /** The film */
    readonly film_id: string;
    /** Which change of it this is, as the content service counts; null = another has sent the event, 1 to 4294967295 */
    readonly revision?: number | null;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  /** A log record of OpenTelemetry */
  readonly log: Given & {
    /** The registered user, or null */
    readonly user_id?: string | null;
    /** The visitor before or without registration */
    readonly anonymous_id?: string | null;
    /** Country of the user, e.g. US */
    readonly country?: string;
    /** Kind of device, e.g. mobile */
    readonly device?: string;
    /** How severe: from 1 trace, 5 debug, 9 info, 13 warn, 17 error, 21 fatal; 0 = not said, 0 to 24 */
    readonly severity_number: number;
    /** The same in the words of who logs, e.g. WARN */
    readonly severity_text?: string;
    /** What is logged: text as it is, anything else as JSON */
    readonly body: string;
    /** What kind of event it is, where it is one */
    readonly event_name?: string;
    /** service.name of the resource */
    readonly service_name?: string;
    /** service.instance.id of the resource */
    readonly service_instance_id?: string;
    /** The library or logger that logs */
    readonly scope_name?: string;
    /** Its version */
    readonly scope_version?: string;
    /** The trace it is of: 32 hex digits, or empty */
    readonly trace_id?: string;
    /** The span it is of: 16 hex digits, or empty */
    readonly span_id?: string;
    /** W3C trace flags in the lowest byte, 0 to 4294967295 */
    readonly flags?: number | null;
    /** When it happened, to the nanosecond since 1970; null = it does not say */
    readonly time_unix_nano?: number | string | null;
    /** When it was first seen by who collects; null = it does not say */
    readonly observed_at?: string | number | null;
    /** Attributes that its sender has left out, 0 to 4294967295 */
    readonly dropped_attributes_count?: number | null;
    /** The schema of the scope, or else of the resource */
    readonly schema_url?: string;
    /** Its own attributes, as key and value */
    readonly attributes?: Readonly<Record<string, unknown>>;
    /** Those of the scope */
    readonly scope_attributes?: Readonly<Record<string, unknown>>;
    /** Those of the resource: what it comes from */
    readonly resource_attributes?: Readonly<Record<string, unknown>>;
    /** Anything else, as key and value */
    readonly properties?: Readonly<Record<string, unknown>>;
  };
}
