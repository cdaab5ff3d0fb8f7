/// <reference types="svelte" />
/** The build's name, shown in the footer. */
declare const __BUILD_ID__: string;
/** True only in the demo build, which runs in front of the reference CA and a virtual USBKEY. */
declare const __DEMO__: boolean;
