// The one script of every page: starts htmx and attaches the modules the page asks for.
import htmx from "htmx.org";
import { attachAll } from "./loader.js";

// Fragments swapped in later bring modules of their own.
htmx.onLoad(attachAll);
