import { createRequire as $require } from 'node:module';
import { dirname as $dirname } from 'node:path';
import { fileURLToPath as $path } from 'node:url';
const require = $require(import.meta.url), __filename = $path(import.meta.url), __dirname = $dirname(__filename);
var SettingError=class extends Error{name="SettingError";key;constructor(key,message,options){super(message,options),this.key=key}};export{SettingError};
