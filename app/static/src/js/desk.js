// The one script of every page: starts htmx and attaches the modules the page asks for.
import htmx from "htmx.org";
import { attachAll } from "./loader.js";

// What a fragment brings is attached in the turn in which it is swapped in: a filtered table is never seen whole between.
htmx.config.defaultSettleDelay = 0;
// Fragments swapped in later bring modules of their own.
htmx.onLoad(attachAll);
